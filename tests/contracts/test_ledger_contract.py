"""One suite over every Ledger and Blobs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.core.events.proposals import ProposalRefused
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.model.candidate import Candidate
from novum.core.model.errors import IntegrityError
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose, Side
from novum.ledger.blobs import FileBlobs
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import encode
from novum.ledger.journal import Journal
from novum.ledger.memory_blobs import MemoryBlobs
from novum.testing.memory_ledger import MemoryLedger

texts = st.text(max_size=60)
refusals = st.builds(ProposalRefused, st.integers(0, 2**53 - 1), texts)
outcomes = st.builds(
    TrialFinished,
    trial=texts,
    group=texts,
    member=st.integers(0, 100),
    kind=st.sampled_from(OutcomeKind),
    score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    cause=texts,
    artefact=st.none() | texts,
    cpu_seconds=st.floats(0, 1e9),
    wall_seconds=st.floats(0, 1e9),
    peak_bytes=st.integers(0, 2**52),
    elapsed=st.floats(0, 1e9),
    facts=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)


@pytest.fixture(params=["memory", "journal"])
def ledger(request, tmp_path):
    if request.param == "memory":
        yield MemoryLedger()
    else:
        with Journal(tmp_path) as journal:
            yield journal


@pytest.fixture(params=["memory", "files"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else FileBlobs(tmp_path / "blobs")


def test_events_come_back_in_order_and_equal(ledger):
    plan = Plan("g1", Purpose.SCREEN, "c", Side.CANDIDATE, Candidate({"gene": 1}), ())
    given_events = [ProposalRefused(n, f"reason {n}") for n in range(20)] + [GroupDispatched(plan, 1, 0.5)]
    ledger.append(given_events[:3], durable=True)
    ledger.append(given_events[3:], durable=False)
    records = list(ledger.read())
    assert [record.event for record in records] == given_events
    assert [record.seq for record in records] == list(range(1, 22))
    assert [record.event for record in ledger.read(after=20)] == given_events[20:]


def test_each_hash_follows_from_the_event_and_the_one_before(ledger):
    ledger.append([ProposalRefused(n, "") for n in range(5)], durable=True)
    head = GENESIS
    for record in ledger.read():
        head = link(head, record.seq, record.time, record.actor, record.kind, encode(record.event))
        assert head == record.hash


def test_an_event_that_is_not_json_is_refused_and_nothing_is_appended(ledger):
    outcome = TrialFinished("t", "g", 0, OutcomeKind.SCORED, float("nan"), "", None, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="canonical"):
        ledger.append([ProposalRefused(1, ""), outcome], durable=True)
    assert list(ledger.read()) == []
    ledger.append([ProposalRefused(1, "")], durable=True)
    assert [record.seq for record in ledger.read()] == [1]


@settings(max_examples=60, deadline=None)
@given(st.lists(refusals | outcomes, max_size=8))
def test_any_event_survives_the_codec(events):
    ledger = MemoryLedger()
    ledger.append(events, durable=True)
    assert [record.event for record in ledger.read()] == events


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=2000))
def test_blobs_are_named_by_their_content(data):
    blobs = MemoryBlobs()
    assert blobs.get(blobs.put(data)) == data


def test_a_blob_is_stored_once_and_comes_back(blobs):
    first = blobs.put(b"artefact")
    assert blobs.put(b"artefact") == first
    assert blobs.get(first) == b"artefact"
    with pytest.raises(IntegrityError, match="missing"):
        blobs.get("0" * 64)


def test_an_altered_blob_is_noticed(tmp_path):
    blobs = FileBlobs(tmp_path)
    address = blobs.put(b"artefact")
    next(tmp_path.rglob(address)).write_bytes(b"Artefact")
    with pytest.raises(IntegrityError, match="altered"):
        blobs.get(address)
