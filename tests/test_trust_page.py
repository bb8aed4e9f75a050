"""The tables of docs/trust.md say what the stored results say."""

from __future__ import annotations

import trust_tables


def test_every_table_is_that_of_the_stored_results():
    text = trust_tables.PAGE.read_text()
    assert text.count("<!-- results:") == len(trust_tables.BLOCKS)
    assert trust_tables.page(text) == text


def test_every_result_says_how_where_and_when_it_was_made():
    import json

    stored = sorted(trust_tables.RESULTS.glob("*.json"))
    assert stored
    for path in stored:
        kept = json.loads(path.read_text())
        assert kept["command"].startswith(("python benchmarks/", "novum "))
        assert kept["date"] >= "2026-11-28"
        assert kept["machine"]
