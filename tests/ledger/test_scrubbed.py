"""Secrets never get into the record, whoever brings them, and everything else gets there unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import Flaky, ScriptedArena, coin_study, in_memory, scored
from programs import bundle

import novum
from novum.core.events.campaign import SessionEnded
from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, ModelReplied, RequestTaken
from novum.core.events.oversight import Commented, Intervened, ProposalReviewed
from novum.core.events.proposals import HypothesisWithdrawn, ProposalMade, ProposalRefused
from novum.core.events.trials import TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.intervention import Alarm, Remark, Step
from novum.core.model.model_call import Reply
from novum.core.model.request import Act
from novum.core.model.trial import OutcomeKind, TrialOutput
from novum.governance.mailbox import Mailbox
from novum.lab.session import session
from novum.ledger.codec import encode
from novum.ledger.scrubbed import ScrubbedLedger
from novum.testing.memory_ledger import MemoryLedger
from novum.text.secret_scan import REMOVED, Secrets

VALUE = "correct-horse-battery-staple"
KNOWN = Secrets.of({"DEPLOY_TOKEN": VALUE, "HOME": "/home/someone"})
KEY = "sk-" + "a1B2" * 8
FORMS = {
    "a value of the environment": VALUE,
    "a model's key": KEY,
    "a cloud key": "AKIA" + "A1B2C3D4E5F6G7H8",
    "a forge's token": "ghp_" + "x" * 30,
    "a private key": "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBg-----END PRIVATE KEY-----",
    "an address": "correct1horse2battery3:staple4staple5",
}


def told(name):
    secret = FORMS[name]
    return f"see https://{secret}@host/ there" if name == "an address" else f"the log said: {secret} and went on"


def carriers(text):
    """Events of every kind that holds words from outside."""
    yield ProposalMade(1, "ann", Candidate({"solver.py": f"x = 1 # {text}"}), (), text, 0.1, 0.0, "r")
    yield ProposalRefused(1, text)
    yield RequestTaken("r", Act.PROPOSE, "ann", text)
    yield ModelReplied("r", "m", Reply.MALFORMED, text, "", "hex:", "hex:", 0, 0, 0.0, 0.0)
    yield ApprovalAsked("a", "propose", "ann", "c", text, 1.0)
    yield ApprovalClosed("a", False, text)
    yield Commented("h1", "critic", text)
    yield ProposalReviewed(1, (Remark("check", text),))
    yield Intervened(Alarm.DEAD_END, Step.NOTE, "ann", text)
    yield HypothesisWithdrawn("h1", text)
    yield SessionEnded(1, text, 1.0)
    yield TrialFinished("t", "g", 0, OutcomeKind.CRASHED, None, text, None, 0.0, 0.0, 0, 0.0)


@pytest.mark.parametrize("name", list(FORMS))
def test_no_event_carries_a_secret_into_the_record(name):
    inner = MemoryLedger()
    records = ScrubbedLedger(inner, KNOWN).append(list(carriers(told(name))), durable=True)
    for record in inner.read():
        text = encode(record.event)
        assert FORMS[name] not in text
        assert REMOVED in text
    assert [record.event for record in records] == [record.event for record in inner.read()]


@given(st.text(max_size=200).filter(lambda text: KNOWN.clean(text) == text))
def test_what_holds_no_secret_is_written_as_it_is(text):
    inner = MemoryLedger()
    before = list(carriers(text))
    ScrubbedLedger(inner, KNOWN).append(before, durable=True)
    assert [record.event for record in inner.read()] == before


def test_a_lab_lives_on_with_what_was_left_of_a_proposal_and_its_record_is_true(tmp_path, monkeypatch):
    monkeypatch.setenv("DEPLOY_TOKEN", VALUE)
    directory = tmp_path / "lab"
    with session(coin_study(), Budget(trials=60), directory) as lab:
        body = {"genome": {"shade": 1}, "rationale": f"because {VALUE}", "transcript": {"log": VALUE, "brief": KEY}}
        Mailbox(directory).send(Act.PROPOSE, "ann", body)
        lab.run()
        found = [record.event for record in lab.ledger.read()]
    assert [one.rationale for one in found if isinstance(one, ProposalMade) and one.author == "ann"] == [
        f"because {REMOVED}"
    ]
    assert [one.model for one in found if isinstance(one, ModelReplied)] == ["ann"]
    kept = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
    assert VALUE.encode() not in kept
    assert KEY.encode() not in kept
    assert novum.verify(directory).ok


def test_an_artefact_with_a_secret_of_the_lab_is_tampering_and_is_not_kept():
    class Trusting(ScriptedArena):
        def score(self, group, trial, artefact):
            return super().score(group, trial, artefact[:2])

    def leaking(group):
        return [TrialOutput(one.id, b"ab" + VALUE.encode() + bytes(99)) for one in group.trials]

    def plan(group):
        return scored(group) if group.candidate.genome["level"] == 0 else leaking(group)

    lab = in_memory(coin_study(arena="scripted"), Budget(trials=60), arena=Trusting(), executor=Flaky(plan))
    lab.secrets = KNOWN
    lab.run()
    assert lab.state.outcomes[OutcomeKind.TAMPERED] > 0
    assert not lab.blobs._data


def test_a_study_that_holds_a_key_is_not_opened(tmp_path):
    study = coin_study(question=f"Why {KEY}?")
    with (
        pytest.raises(StudyError, match="question: holds what looks like a key"),
        session(study, Budget(trials=10), tmp_path / "lab"),
    ):
        pass


def test_a_program_with_a_key_in_a_file_is_refused_with_file_and_line(tmp_path):
    with pytest.raises(StudyError, match=r"keys\.txt line 2: looks like a key"):
        bundle(tmp_path / "shown", [("keys.txt", f"A=1\nOPENAI={KEY}\n")])
    hidden = bundle(tmp_path / "hidden", [(".env", f"A=1\nOPENAI={KEY}\n")])  # which no program names
    assert ".env" not in {**hidden.shown, **hidden.kept}
