"""What decision 40 says of the training benchmark is what the stored run says."""

import json
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_decision_quotes_the_stored_run():
    rows = json.loads((DOCS / "results" / "training.json").read_text())["result"]["rows"]
    page = " ".join((DOCS / "decisions" / "0040-a-training-step-is-one-graph.md").read_text().split())
    warm, own = ([row[name] for row in rows] for name in ("times_warm", "times_process"))
    peak = [100 * row["peak_fraction"] for row in rows]
    assert f"{warm[0]:.1f}, {warm[1]:.1f} and {warm[2]:.1f} times as many per core-hour as one by one" in page
    assert f"{own[0]:.1f}, {own[1]:.1f} and {own[2]:.1f} times as many as in a process each" in page
    assert f"{peak[0]:.0f}, {peak[1]:.0f} and {peak[2]:.0f} % of what the largest product alone reaches" in page
