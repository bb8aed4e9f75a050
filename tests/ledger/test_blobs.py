"""Blobs: on disk before the events that name them; collected only on request, and never what an event names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from labs import Flaky, ScriptedArena, coin_study, scored

from novum import verify
from novum.core.model.budget import Budget
from novum.core.model.errors import LabInUse
from novum.core.model.metric import Score
from novum.lab.session import session
from novum.ledger.blobs import FileBlobs
from novum.ledger.garbage import collect


class Long(ScriptedArena):
    """The same with artefacts that are too long for an event."""

    def score(self, group, trial, artefact):
        return Score(super().score(group, trial, artefact[:2]).value)


def long_ones(group):
    import dataclasses

    return [dataclasses.replace(d, artefact=d.artefact + bytes(range(100))) for d in scored(group)]


def run(directory, trials=100):
    study = coin_study(arena="scripted")
    with session(study, Budget(trials=trials), directory, problem=Long(), place=Flaky(long_ones)) as lab:
        lab.run()


def test_a_blob_and_its_name_are_synced_before_the_commit_of_its_event(tmp_path, monkeypatch):
    synced, orders = set(), []
    sync, flush = os.fsync, FileBlobs.sync

    def note(handle):
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    def before(self):
        pending = {str(path) for path in self._unsynced}
        flush(self)
        orders.append(pending <= synced and {str(Path(path).parent) for path in pending} <= synced)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(FileBlobs, "sync", before)
    run(tmp_path)
    assert len(orders) > 3
    assert all(orders)
    named = set(FileBlobs(tmp_path / "blobs").addresses())
    assert named <= {path.rsplit("/", 1)[1] for path in synced}


def test_the_same_bytes_are_stored_once(tmp_path):
    blobs = FileBlobs(tmp_path)
    assert blobs.put(b"x" * 100) == blobs.put(b"x" * 100)
    assert len(list(blobs.addresses())) == 1


def test_only_what_no_event_names_is_collected_and_only_on_request(tmp_path):
    run(tmp_path)
    blobs = FileBlobs(tmp_path / "blobs")
    stray = blobs.put(b"a trial whose event never came" * 9)
    before = set(blobs.addresses())
    found = collect(tmp_path, remove=False)
    assert (found.blobs, found.removed) == (1, False)
    assert set(blobs.addresses()) == before
    assert collect(tmp_path, remove=True).blobs == 1
    assert set(blobs.addresses()) == before - {stray}
    assert verify(tmp_path, arena=Long()).ok


def test_nothing_is_collected_while_the_lab_is_at_work(tmp_path):
    study = coin_study(arena="scripted")
    at_work = session(study, Budget(trials=9), tmp_path, problem=Long(), place=Flaky(long_ones))
    with at_work, pytest.raises(LabInUse):
        collect(tmp_path, remove=True)
