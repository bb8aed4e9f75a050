"""Records of older versions: a whole lab of schema 1, written by the code of that time, is read, judged and gone on."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from novum.core.events.trials import LateReport
from novum.core.model.errors import IntegrityError
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Aim
from novum.core.state.finding_grade import grade
from novum.lab import restore, verification
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import decode
from novum.ledger.journal import _TABLES, SCHEMA, Journal, Reader
from novum.text.canonical_json import canonical

ROWS = list(
    map(
        json.loads,
        gzip.decompress(Path(__file__).with_name("data").joinpath("schema1.jsonl.gz").read_bytes()).splitlines(),
    )
)


@pytest.fixture
def old(tmp_path) -> Path:
    return write(tmp_path, ROWS)


def write(directory: Path, rows: list) -> Path:
    db = sqlite3.connect(directory / "lab.db")
    db.executescript(_TABLES)
    db.execute("INSERT INTO meta VALUES ('schema', 1), ('token', 1)")
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    db.commit()
    db.close()
    return directory


def test_a_lab_of_the_first_schema_holds_with_every_verdict_judged_again(old):
    found = verification.verify(old)
    assert found.ok, found.lie
    assert (found.events, found.trials, found.scores, found.verdicts) == (len(ROWS), 699, 699, 22)


def test_its_state_is_that_of_its_time(old):
    with Reader(old) as reader:
        state = restore.restore(reader, old)
    assert [one.id for one in state.findings] == ["h2", "h11"]
    assert [grade(one) for one in state.findings] == ["replicated", "replicated"]
    assert state.study
    assert state.study.follow_up.aims == (Aim.REPLICATE,)
    assert state.study.gate.reopenings == 0


def test_a_writer_leaves_old_rows_alone_and_locks_older_versions_out(old):
    with Journal(old) as journal:
        journal.append([LateReport("g1", (OutcomeKind.SCORED,), 0.0, 1e6)], durable=True)
    db = sqlite3.connect(old / "lab.db")
    rows = [list(row) for row in db.execute("SELECT * FROM events ORDER BY seq")]
    assert rows[: len(ROWS)] == ROWS
    assert db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (SCHEMA,)
    db.close()
    assert verification.verify(old).ok


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("confirmation_opened", "stake", 0.5),
        ("confirmation_opened", "max_pairs", 99),
        ("verdict_reached", "e_value", 1000.0),
        ("replication_opened", "hypothesis", "h11"),
        ("replication_closed", "mean", 0.9),
        ("replication_closed", "verdict", "refuted"),
        ("scale_measured", "sigma", 0.001),
    ],
)
def test_lies_in_an_old_record_are_found(tmp_path, kind, key, value):
    rows, head, done = [], GENESIS, False
    for seq, time, actor, name, payload, _ in ROWS:
        if name == kind and not done:
            payload, done = canonical({**json.loads(payload), key: value}).decode(), True
        head = link(head, seq, time, actor, name, payload)
        rows.append([seq, time, actor, name, payload, head])
    found = verification.verify(write(tmp_path, rows))
    assert not found.ok


def test_what_is_wrong_is_not_taken_for_old():
    with pytest.raises(IntegrityError, match="not a verdict_reached"):
        decode("verdict_reached", json.dumps({"hypothesis": "h1", "guards": []}))
    with pytest.raises(IntegrityError, match="newer version"):
        decode("never_heard_of", "{}")
    with pytest.raises(IntegrityError, match="not a campaign_opened"):
        decode("campaign_opened", "[]")
