"""Snapshots are a cache: they change nothing, are never believed, and cannot be made to do anything."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import pickle
import shutil
import sqlite3
from enum import Enum
from pathlib import Path

import pytest
from labs import coin_study, same

from novum.core.model.budget import Budget
from novum.core.model.trial import OutcomeKind, Role
from novum.core.state.campaign_state import CampaignState
from novum.lab import restore, verification
from novum.lab.session import session
from novum.ledger import snapshot
from novum.ledger.journal import Reader
from novum.ledger.lab_secret import known_secret


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "FIRST", 500)
        patch.setattr(restore, "FIRST", 500)
        with session(coin_study(), Budget(trials=700), directory) as lab:
            lab.run()
    return directory


@pytest.fixture
def lab(grown, tmp_path):
    return Path(shutil.copytree(grown, tmp_path / "lab"))


def opened(directory):
    with Reader(directory) as reader:
        return restore.restore(reader, directory)


def from_events(directory):
    with Reader(directory) as reader:
        return restore.refold(reader.read(), CampaignState())


def test_a_lab_opens_from_its_snapshot_to_the_same_state(lab):
    known = snapshot.load(lab, known_secret(lab))
    assert known
    assert known.seq > 1000
    assert same(opened(lab), from_events(lab))


def test_a_python_that_pickles_enumerations_by_getattr_reads_its_snapshots(tmp_path, monkeypatch):
    """As 3.11.0 to 3.11.3 do."""
    monkeypatch.setattr(Enum, "__reduce_ex__", lambda one, _: (getattr, (type(one), one.name)))
    state = CampaignState()
    state.kinds = [OutcomeKind.SCORED, Role.GATE]
    snapshot.save(tmp_path, b"secret", snapshot.Snapshot(state, 7, "head"))
    known = snapshot.load(tmp_path, b"secret")
    assert known
    assert known.state.kinds == [OutcomeKind.SCORED, Role.GATE]


def test_a_session_goes_on_from_a_snapshot_as_it_would_from_the_events(lab):
    with session(coin_study(), Budget(trials=900), lab) as again:
        again.run()
    assert verification.verify(lab).ok
    assert same(opened(lab), from_events(lab))


@pytest.mark.parametrize("place", [0, 70, 200, -1])
def test_a_snapshot_that_was_touched_is_passed_over(lab, place):
    path = lab / "lab.snapshot"
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))
    assert snapshot.load(lab, known_secret(lab)) is None
    one, other = opened(lab), from_events(lab)
    assert (one.trials, list(one.hypotheses)) == (other.trials, list(other.hypotheses))


def test_a_snapshot_of_another_history_is_passed_over(lab):
    with sqlite3.connect(lab / "lab.db") as db:
        seq = snapshot.load(lab, known_secret(lab)).seq
        db.execute("DELETE FROM events WHERE seq > ?", (seq - 60,))
    assert opened(lab).trials < 700


def test_a_snapshot_of_other_code_is_passed_over(lab, monkeypatch):
    monkeypatch.setattr(snapshot, "_code", lambda: "another")
    assert snapshot.load(lab, known_secret(lab)) is None


class Harmful:
    def __reduce__(self):
        return os.system, ("touch /tmp/novum-was-here",)


class Sneaky:
    def __reduce__(self):
        return getattr, (CampaignState, "apply")


@pytest.mark.parametrize("body", [Harmful(), {"study": Sneaky()}, [CampaignState.known]])
def test_not_even_the_holder_of_the_secret_can_make_a_snapshot_run_code(lab, body):
    secret = known_secret(lab)
    header = json.dumps({"code": snapshot._code(), "seq": 1, "head": "x"}).encode()
    data = pickle.dumps(body)
    key = hmac.new(secret, b"snapshot", hashlib.sha256).digest()
    seal = hmac.new(key, header + b"\n" + data, hashlib.sha256).hexdigest().encode()
    (lab / "lab.snapshot").write_bytes(b"\n".join((seal, header, data)))
    assert snapshot.load(lab, secret) is None
    assert not Path("/tmp/novum-was-here").exists()


def test_without_the_secret_there_is_no_snapshot_and_the_lab_still_opens(lab):
    (lab / "lab.secret").unlink()
    assert same(opened(lab), from_events(lab))


def test_a_snapshot_that_cannot_be_written_is_no_harm(lab):
    known = snapshot.load(lab, known_secret(lab))
    snapshot.save(lab / "nowhere", b"secret", known)
