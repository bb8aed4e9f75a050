"""Records of older versions: whole labs of each schema, written by the code of that time, are read, judged, gone on."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest
from edits import every
from forgery import rewrite
from labs import SECRET, coin_study

from novum.core.events.trials import LateReport
from novum.core.model.budget import Budget
from novum.core.model.errors import IntegrityError
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Aim
from novum.core.state.finding_grade import grade
from novum.lab import restore, verification
from novum.lab.session import session
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import decode
from novum.ledger.journal import _TABLES, SCHEMA, Journal, Reader
from novum.ledger.key import load_key
from novum.text.canonical_json import canonical

DATA = Path(__file__).with_name("data")


def rows_of(name: str) -> list:
    return list(map(json.loads, gzip.decompress((DATA / f"{name}.jsonl.gz").read_bytes()).splitlines()))


ROWS, SECOND = rows_of("schema1"), rows_of("schema2")


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


def test_a_lab_of_the_second_schema_holds_with_every_verdict_judged_again(tmp_path):
    found = verification.verify(write(tmp_path, SECOND))
    assert found.ok, found.lie
    assert (found.events, found.trials, found.verdicts) == (len(SECOND), 489, 14)
    assert found.signed


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS, ["no checkpoint is signed", "no follow-up of h2, h11 was left out", "no preflight is in the record"]),
        (SECOND, ["no follow-up of h1, h10 was left out", "another version of novum wrote them", "determinism, leak"]),
    ],
    ids=["first", "second"],
)
def test_what_an_old_record_cannot_show_is_named(tmp_path, rows, words):
    found = verification.verify(write(tmp_path, rows))
    assert found.ok, found.lie
    for said in words:
        assert [one for one in found.not_shown if said in one], said


def test_a_campaign_from_before_promises_goes_on_and_promises_what_it_has_found(tmp_path):
    """Only a lab of today's arena code can go on: it is made one of an older schema."""
    (tmp_path / "lab.secret").write_text(SECRET.hex())
    with session(coin_study(), Budget(trials=300), tmp_path) as lab:
        lab.run()
        assert lab.state.findings

    def older(rows):
        rows[:] = [row for row in rows if row[2] != "follow_ups_promised"]
        every("session_started", lambda value: value.update(schema=2))(rows)

    rewrite(tmp_path, older, load_key(tmp_path))
    found = verification.verify(tmp_path)
    assert found.ok, found.lie
    assert [one for one in found.not_shown if "were not promised in records of that version" in one]
    with session(coin_study(), Budget(trials=320), tmp_path) as lab:
        lab.run()
        assert all(one.promised for one in lab.state.findings)
    found = verification.verify(tmp_path)
    assert found.ok, found.lie
    assert not [one for one in found.not_shown if "were not promised" in one]


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
