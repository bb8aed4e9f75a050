"""Policies and approvals: unlisted is denied, silence is a no, nobody approves their own, a change voids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import coin_study, events, in_memory

from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, RequestTaken
from novum.core.events.proposals import HypothesisRegistered, ProposalRefused
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate
from novum.core.model.identity import OWN, RESEARCHERS, person, unfit
from novum.core.model.request import Act, Request
from novum.core.model.study import PolicyRule, PolicySettings
from novum.core.state.approvals import Approval, Permission, ask_for, closing, name_of, objection, permission, vote
from novum.registry import BUILT_IN, Kind
from novum.text.secret_scan import Secrets
from novum.views.approval_requests import waiting

GENOME = {"metal": 4, "edge": 4, "spin": 2, "shade": 7}
PEOPLE = PolicySettings((PolicyRule("propose", "yes", "evolve"), PolicyRule("propose", "approval")), patience=100.0)


class Box:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.count = 0

    def send(self, act, author, **body):
        self.count += 1
        self.requests.append(Request(f"r{self.count}", act, author, body))

    def waiting(self):
        return list(self.requests)

    def done(self, request):
        self.requests.remove(request)


@pytest.fixture
def lab():
    lab = in_memory(coin_study(policy=PEOPLE), Budget(trials=400, wall_seconds=60))
    lab.mailbox = Box()
    lab.mailbox.send(Act.PROPOSE, "alice", genome=GENOME, rationale="heavy")
    while not lab.state.request_log.waiting:
        assert lab.step()
    return lab


def registered(lab, author):
    return [one for one in events(lab) if isinstance(one, HypothesisRegistered) and one.author == author]


def settle(lab):
    for _ in range(400):
        if not lab.step() or not lab.state.request_log.waiting:
            return


def test_others_go_on_while_people_are_asked(lab):
    before = lab.state.trials
    for _ in range(100):
        lab.step()
    assert lab.state.trials > before
    assert not registered(lab, "alice")
    (line,) = waiting(lab.state)
    assert (line.author, line.act, line.summary) == ("alice", "propose", line.summary)
    assert "heavy" in line.summary
    assert "metal" in line.change


def test_an_approval_lets_exactly_this_content_in(lab):
    (one,) = lab.state.request_log.waiting
    lab.mailbox.send(Act.APPROVE, "bob", approval=one.asked.id, content=one.asked.content)
    settle(lab)
    lab.run()
    claims = registered(lab, "alice")  # more than one where the incumbent has changed since
    assert claims
    assert all(claim.candidate.genome == GENOME for claim in claims)
    assert next(one for one in events(lab) if isinstance(one, ApprovalClosed)).reason == "approved by bob"


@pytest.mark.parametrize(
    ("act", "author", "content", "words"),
    [
        (Act.APPROVE, "alice", None, "nobody approves what they proposed"),
        (Act.APPROVE, "bob", "another", "not what was looked at"),
        (Act.DENY, "bob", "another", "not what was looked at"),
    ],
)
def test_answers_that_do_not_count_are_recorded_and_change_nothing(lab, act, author, content, words):
    (one,) = lab.state.request_log.waiting
    lab.mailbox.send(act, author, approval=one.asked.id, content=content or one.asked.content)
    for _ in range(20):
        lab.step()
    taken = [event for event in events(lab) if isinstance(event, RequestTaken)][-1]
    assert words in taken.note
    assert not one.votes
    assert lab.state.request_log.waiting


def test_one_no_is_enough_and_the_reason_is_kept(lab):
    (one,) = lab.state.request_log.waiting
    lab.mailbox.send(Act.DENY, "bob", approval=one.asked.id, content=one.asked.content, reason="not now")
    settle(lab)
    for _ in range(20):
        lab.step()
    assert not registered(lab, "alice")
    assert any(isinstance(event, ProposalRefused) and event.reason == "denied by bob" for event in events(lab))


def test_silence_is_a_no_even_when_nothing_runs():
    policy = PolicySettings((PolicyRule("propose", "approval"),), patience=0.3)
    lab = in_memory(coin_study(policy=policy), Budget(trials=400, wall_seconds=3))
    lab.run()
    ends = [event for event in events(lab) if isinstance(event, ApprovalClosed)]
    assert ends
    assert not any(end.granted for end in ends)
    assert not lab.state.hypotheses


def test_what_no_rule_names_is_denied_and_no_rules_allow_all():
    lab = in_memory(coin_study(policy=PolicySettings((PolicyRule("propose", "yes", "somebody"),))), Budget(trials=60))
    lab.run()
    assert not lab.state.hypotheses
    assert "does not let evolve propose" in next(e.reason for e in events(lab) if isinstance(e, ProposalRefused))
    assert permission(PolicySettings(), {}, "propose", "anybody", "x") is Permission.GRANTED


def test_two_people_where_two_are_asked_for():
    policy = PolicySettings((PolicyRule("propose", "approval"),), approvers=2)
    one = Approval(ask_for("propose", "alice", "c1", "", 0.0, policy))
    one.votes["bob"] = True
    assert closing(one, policy, 1.0) is None
    one.votes["bob"] = True
    assert closing(one, policy, 1.0) is None
    one.votes["carol"] = True
    assert closing(one, policy, 1.0) == ApprovalClosed(one.asked.id, True, "approved by bob and carol")


@pytest.mark.parametrize(("mine", "theirs", "same"), [
    ("alice", "Alice", True), ("alice", "ALICE", True), ("mcp:coder", "coder", True),
    ("agent:Coder", "mcp:coder", True),
    ("alice", "alice2", False), ("mcp:alice", "mcp:bob", False), ("a.b", "ab", False), ("smcp:x", "x", False),
])  # fmt: skip
def test_nobody_becomes_somebody_else_by_another_spelling(mine, theirs, same):
    assert (person(mine) == person(theirs)) is same
    policy = PolicySettings((PolicyRule("propose", "approval"),), approvers=2)
    known = {"a": (one := Approval(ask_for("propose", mine, "c", "", 0.0, policy)))}
    own = objection(known, "a", theirs, "c", Act.APPROVE)
    assert own == ("nobody approves what they proposed" if same else "")
    for name in (mine, theirs):
        vote(known, RequestTaken(f"r-{name}", Act.APPROVE, name, "", "a"))
    assert len(one.votes) == (1 if same else 2)
    assert (closing(one, policy, 1.0) is None) is same


def test_a_rule_is_about_an_author_however_that_is_spelled():
    policy = PolicySettings((PolicyRule("propose", "no", "mallory*"), PolicyRule("propose", "yes")))
    for name in ("mallory", "Mallory", "MALLORY/2"):
        assert permission(policy, {}, "propose", name, "c") is Permission.REFUSED
    assert permission(policy, {}, "propose", "alice", "c") is Permission.GRANTED


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_another_content_author_or_act_is_another_approval(author, content, other, act):
    same = (author, content) == (other, content)
    assert (name_of("propose", author, content) == name_of("propose", other, content)) == same
    assert name_of("propose", author, content) != name_of("holdout", author, content)
    granted = {
        name_of("propose", author, content): Approval(
            ApprovalAsked("a", "propose", author, content, "", 9.0), closed=ApprovalClosed("a", True, "")
        )
    }
    rules = PolicySettings((PolicyRule("propose", "approval"), PolicyRule("holdout", "approval")))
    assert permission(rules, granted, "propose", author, content) is Permission.GRANTED
    assert permission(rules, granted, "propose", author, content + "x") is Permission.NEEDED
    assert permission(rules, granted, "holdout", author, content) is Permission.NEEDED


def test_what_is_closed_or_unknown_cannot_be_answered():
    known = {
        "a": Approval(ApprovalAsked("a", "propose", "alice", "c", "", 9.0), closed=ApprovalClosed("a", False, "no"))
    }
    assert "closed" in objection(known, "a", "bob", "c", Act.APPROVE)
    assert "no approval" in objection(known, "b", "bob", "c", Act.APPROVE)


def test_ids_of_what_is_approved_are_too_long_to_be_forged():
    one, other = Candidate({"metal": 4}), Candidate({"metal": 5})
    assert len(one.digest) == 64 and one.digest != other.digest and one.digest.startswith(one.id)
    assert Secrets().clean(one.digest) == one.digest  # or what the record says would not be what was asked
    name = name_of("propose", "alice", one.digest)
    assert len(name) == 33
    assert ask_for("propose", "alice", one.digest, "", 0.0, PolicySettings()).id == name


def test_nobody_outside_signs_as_a_part_of_the_lab():
    assert set(BUILT_IN[Kind.RESEARCHER]) == RESEARCHERS
    for name in OWN:
        for spelled in (name, name.upper(), f"{name}/x", f"{name}:gpt", f"{name} :x"):
            assert "the lab itself signs" in unfit(spelled), spelled
    for name in ("alice", "Ann Lee", "mcp:lab", "agent:evolve", "a/b:c", "evolver", "o.o+x@y-z"):
        assert not unfit(name), name
    assert "looks like a key" in unfit("sk-abcdefghijklmnop1234")
    for name in ("", " alice", "alice ", "a  b", "a" * 61, "\u0430lice", "alice\n", "-x"):
        assert "single spaces" in unfit(name), name
