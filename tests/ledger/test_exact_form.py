"""A record holds one form of each event: any other bytes that read as the same event are named, with the key."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from novum.core.events.proposals import ProposalMade
from novum.core.events.trials import TrialFinished
from novum.core.model.candidate import Candidate
from novum.core.model.errors import IntegrityError
from novum.core.model.trial import OutcomeKind
from novum.ledger.codec import decode, encode
from novum.ledger.exact_form import departure
from novum.ledger.journal import Journal

TRIAL = TrialFinished("g1.0", "g1", 0, OutcomeKind.SCORED, 0.5, "", "hex:00", 1.0, 2.5, 100, 3e-7, {"loss": 1.0})
IDEA = ProposalMade(1, "evolve", Candidate({"spin": 2, "on": True, "é": "x"}), ("h1",), "why 😀", 0.25, 0.0)
FIRST = Path(__file__).with_name("data") / "schema1.jsonl.gz"


def said(kind: str, payload: str, *, older: bool = False) -> str:
    return departure(kind, payload, decode(kind, payload), older=older)


@pytest.mark.parametrize(("kind", "event"), [("trial_finished", TRIAL), ("proposal_made", IDEA)])
def test_what_novum_writes_is_exact(kind, event):
    assert not said(kind, encode(event))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"score":0.5', '"score":0.5,"score":0.5', "its key 'score' is written twice"),
        ('"score":0.5', '"score":0.4,"score":0.5', "its key 'score' is written twice"),
        ('{"loss":1}', '{"loss":2,"loss":1}', "its key 'loss' is written twice"),
        ('"score":0.5', '"score":0.5,"secret":1', "its key 'secret' is no field of it"),
        ('"score":0.5', '"Score":0.9,"score":0.5', "its key 'Score' is no field of it, which is written 'score'"),
        ('"wall_seconds":2.5', '"wall_seconds":2.50', "after its key 'wall_seconds'"),
        ('"cpu_seconds":1,', '"cpu_seconds":1.0,', "after its key 'cpu_seconds'"),
        ('"cpu_seconds":1,', '"cpu_seconds":1e0,', "after its key 'cpu_seconds'"),
        ('"cpu_seconds":1,', '"cpu_seconds":"1",', "its key 'cpu_seconds' is written \"1\" and read as 1.0"),
        ('"cpu_seconds":1,', '"cpu_seconds":true,', "its key 'cpu_seconds' is written true and read as 1.0"),
        ('"member":0,', '"member":-0,', "after its key 'member'"),
        ('"member":0,', '"member": 0,', "after its key 'member'"),
        ("3e-7", "3E-7", "after its key 'elapsed'"),
        ("3e-7", "0.0000003", "after its key 'elapsed'"),
        ('"g1.0"', '"\\u00671.0"', "after its key 'trial'"),
        ('"stored_bytes":0,', "", "its key 'stored_bytes' is missing"),
        ('{"artefact"', ' {"artefact"', "at its beginning"),
    ],
)
def test_another_form_of_the_same_event_is_named_by_its_key(old, new, words):
    text = encode(TRIAL).replace(old, new, 1)
    assert text != encode(TRIAL)
    assert words in said("trial_finished", text)


def test_what_stands_behind_the_end_is_named():
    assert "it has ' ' where nothing belongs" in said("trial_finished", encode(TRIAL) + " ")


def test_a_key_that_must_be_there_is_named():
    with pytest.raises(IntegrityError, match="cause: Field required"):
        decode("trial_finished", encode(TRIAL).replace('"cause":"",', ""))


def test_nested_keys_are_named_with_their_place():
    text = encode(IDEA).replace('{"genome":{', '{"extra":1,"genome":{')
    assert said("proposal_made", text) == "its key 'candidate.extra' is no field of it"
    assert "not canonical" in said("proposal_made", encode(IDEA).replace('"why 😀"', '"why \\ud83d\\ude00"'))
    assert said("trial_finished", encode(TRIAL).replace('"score":0.5', '"score":NaN')) == (
        "its key 'score' is nan, which JSON cannot hold"
    )
    assert "its key 'facts.loss' is inf" in said("trial_finished", encode(TRIAL).replace('"loss":1', '"loss":1e999'))


def test_an_older_form_may_lack_fields_and_nothing_else():
    text = encode(TRIAL).replace('"stored_bytes":0,', "")
    assert not said("trial_finished", text, older=True)
    assert "no field" in said("trial_finished", text.replace('"score"', '"scored":1,"score"'), older=True)
    assert "twice" in said("trial_finished", text.replace('"score":0.5', '"score":0.5,"score":0.5'), older=True)
    assert "after its key" in said("trial_finished", text.replace('"score":0.5', '"score":0.50'), older=True)


def test_old_kinds_are_held_to_their_own_form():
    rows = list(map(json.loads, gzip.decompress(FIRST.read_bytes()).splitlines()))
    for kind in ("campaign_opened", "replication_opened", "replication_closed", "verdict_reached", "group_dispatched"):
        payload = next(row[4] for row in rows if row[3] == kind)
        assert not said(kind, payload, older=True)
        extra = payload.replace("{", '{"aaa":1,', 1)
        assert "'aaa' is no field of it" in said(kind, extra, older=True)
        assert "not canonical" in said(kind, payload.replace(",", ", ", 1), older=True)


def test_the_writer_goes_on_from_no_other_form(tmp_path):
    import sqlite3

    from novum.ledger.chain import GENESIS, link

    with Journal(tmp_path) as journal:
        journal.append([IDEA], durable=True)
    text = encode(IDEA).replace('"number":1', '"number":1.0')
    with sqlite3.connect(tmp_path / "lab.db") as db:
        time, actor = db.execute("SELECT time, actor FROM events").fetchone()
        head = link(GENESIS, 1, time, actor, "proposal_made", text)
        db.execute("UPDATE events SET payload = ?, hash = ?", (text, head))
    db.close()
    with Journal(tmp_path) as journal, pytest.raises(IntegrityError, match=r"event 1.*after its key 'number'"):
        list(journal.read())
