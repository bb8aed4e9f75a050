"""The classes of acts that a policy can bind: models over the network, spending, quarantine, promotion, export."""

from __future__ import annotations

import dataclasses
import time

import pytest
from labs import coin_study, events, in_memory

import novum
from novum.cli.export import export
from novum.core.engine.context import Campaign
from novum.core.engine.decide import awaited
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, ModelAsked, ModelReplied
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisRegistered, HypothesisWithdrawn, ProposalMade
from novum.core.events.verdicts import ConfirmationOpened, VerdictReached
from novum.core.model.budget import Budget, Spent
from novum.core.model.errors import UserError
from novum.core.model.intervention import Alarm, Step
from novum.core.model.model_call import ModelCall, ModelRequest, Reply
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.request import Act, Request
from novum.core.model.study import PolicyRule, PolicySettings
from novum.core.model.verdict import Verdict
from novum.core.state.approvals import Permission, name_of, spending
from novum.governance.hard_budget import HardBudget
from novum.governance.mailbox import Mailbox
from novum.lab.session import session
from novum.studies.load import parse_study

YES = tuple(PolicyRule(act, "yes") for act in ("propose", "network", "quarantine", "promote", "holdout", "export"))


def policy(*rules, patience=1e6):
    return PolicySettings((*rules, *YES), patience=patience)


class Asking:
    """The Researcher port: wants the same request until it is sent or refused; proposes at random otherwise."""

    def __init__(self, model="openai:big", money=0.5):
        self.ask = ModelRequest("r1", model, "language", 1000, money)
        self.sent = self.refused = False

    def propose(self, view, rng):
        if self.sent or self.refused or self.ask.request in view.means.denied:
            self.refused = self.refused or not self.sent
            return Proposal(view.space.sample(rng), "at random")
        if self.ask.request in view.means.reserved:
            self.sent = True
            return Pending(consulted=(ModelCall("r1", self.ask.model, Reply.MALFORMED, input_tokens=10),))
        if {self.ask.request, self.ask.model} & view.means.awaiting:
            return Proposal(view.space.sample(rng), "meanwhile")
        return Pending(ask=self.ask)


class Nods:
    """A mailbox double: somebody who answers every question, after so many looks."""

    def __init__(self, lab, act="approve", wait=30):
        self.lab, self.act, self.wait, self.count = lab, act, wait, 0

    def waiting(self):
        self.count += 1
        if self.count < self.wait:
            return []
        return [
            Request(f"n{one.asked.id}", Act(self.act), "bob", {"approval": one.asked.id, "content": one.asked.content})
            for one in self.lab.state.request_log.waiting
            if "bob" not in one.votes
        ]

    def done(self, request):
        pass


def lived(settings, *, researcher=None, answer="", budget=Budget(trials=600, wall_seconds=20), **changes):  # noqa: B008
    lab = in_memory(coin_study(policy=settings, **changes), budget, researcher=researcher)
    if answer:
        lab.mailbox = Nods(lab, answer)
    lab.run()
    return lab


def all_of(lab, kind):
    return [event for event in events(lab) if isinstance(event, kind)]


def test_a_model_over_the_network_is_asked_only_with_leave():
    lab = lived(policy(PolicyRule("network", "no")), researcher=Asking())
    (reply,) = all_of(lab, ModelReplied)
    assert (reply.outcome, reply.money) == (Reply.FORBIDDEN, 0.0)
    assert not all_of(lab, ModelAsked)
    assert lab.state.trials > 100


def test_while_people_decide_about_a_model_others_propose_and_their_yes_sends_it():
    researcher = Asking()
    lab = lived(policy(PolicyRule("network", "approval")), researcher=researcher, answer="approve")
    (asked,) = all_of(lab, ApprovalAsked)
    assert (asked.act, asked.content) == ("network", "openai:big")
    order = [type(event) for event in events(lab)]
    assert order.index(ProposalMade) < order.index(ApprovalClosed) < order.index(ModelAsked)
    assert researcher.sent


def test_a_no_about_a_model_is_final_and_the_lab_goes_on():
    lab = lived(policy(PolicyRule("network", "approval")), researcher=Asking(), answer="deny")
    assert [one.outcome for one in all_of(lab, ModelReplied)] == [Reply.FORBIDDEN]
    assert not all_of(lab, ModelAsked)
    assert lab.state.trials > 100


def test_the_local_model_needs_no_leave():
    researcher = Asking(model="local")
    lived(policy(PolicyRule("network", "no")), researcher=researcher)
    assert researcher.sent


@pytest.mark.parametrize(("money", "asked"), [(0.5, True), (0.05, False)])
def test_spending_over_an_amount_on_a_model_needs_people(money, asked):
    rule = PolicyRule("spend", "approval", over=Budget(money=0.1))
    lab = lived(policy(rule), researcher=Asking(money=money), answer="approve")
    assert [one.act for one in all_of(lab, ApprovalAsked)] == (["spend"] if asked else [])
    assert len(all_of(lab, ModelAsked)) == 1


def test_a_dear_confirmation_waits_for_people_and_is_dropped_when_they_say_no():
    rule = PolicyRule("spend", "approval", over=Budget(trials=10))
    yes, no = lived(policy(rule), answer="approve"), lived(policy(rule), answer="deny")
    opened = [one.hypothesis for one in all_of(yes, ConfirmationOpened)]
    assert opened
    assert all("trials" in one.summary for one in all_of(yes, ApprovalAsked))
    assert not all_of(no, ConfirmationOpened)
    assert {one.reason for one in all_of(no, HypothesisWithdrawn)} == {
        "nobody allowed what its confirmation would cost"
    }


def test_a_lab_does_not_wait_for_leave_to_do_what_it_cannot_pay():
    """Nobody answers, and what is left of the budget reaches for less than what people are asked for."""
    rule = PolicyRule("spend", "approval", over=Budget(trials=10))
    lab = in_memory(coin_study(policy=policy(rule)), Budget(trials=5000, wall_seconds=20))
    while not lab.state.request_log.waiting:
        assert lab.step()
    for left, waits in ((1, False), (100, True)):
        budget = Budget(trials=lab.state.spent.trials + left)
        assert awaited(Campaign(lab.state, dataclasses.replace(lab.context, governor=HardBudget(budget)))) is waits
    lab.campaign = Campaign(
        lab.state, dataclasses.replace(lab.context, governor=HardBudget(Budget(trials=lab.state.spent.trials + 1)))
    )
    began = time.monotonic()
    lab.run()
    assert lab.state.request_log.waiting and time.monotonic() - began < 10


def test_rules_about_other_acts_do_not_bind_spending():
    lab = lived(policy())
    assert all_of(lab, ConfirmationOpened)
    assert not all_of(lab, ApprovalAsked)


def test_an_amount_is_passed_in_whatever_it_names():
    rule = PolicyRule("spend", "no", author="bot*", over=Budget(trials=10, cpu_seconds=5))
    rules = PolicySettings((rule,))
    assert spending(rules, {}, "bot", "c", Spent(trials=10, cpu_seconds=5)) is Permission.GRANTED
    assert spending(rules, {}, "bot", "c", Spent(trials=11)) is Permission.REFUSED
    assert spending(rules, {}, "bot", "c", Spent(cpu_seconds=5.1)) is Permission.REFUSED
    assert spending(rules, {}, "ann", "c", Spent(trials=11)) is Permission.GRANTED


def test_a_finding_takes_the_incumbents_place_only_when_people_agree(tmp_path):
    rule = PolicyRule("promote", "approval")
    with session(coin_study(policy=policy(rule)), Budget(trials=1500, wall_seconds=30), tmp_path / "lab") as lab:
        lab.mailbox = Nods(lab, wait=60)
        lab.run()
        found = [record.event for record in lab.ledger.read()]
    crowned = [event for event in found if isinstance(event, IncumbentChanged) and event.hypothesis]
    assert crowned
    for event in crowned:
        name = name_of("promote", next(iter(_authors(found, event))), event.candidate.digest)
        closed = next(one for one in found if isinstance(one, ApprovalClosed) and one.id == name)
        verdict = next(one for one in found if isinstance(one, VerdictReached) and one.hypothesis == event.hypothesis)
        assert verdict.verdict is Verdict.SUPPORTED
        assert found.index(verdict) < found.index(closed) < found.index(event)
    said = novum.verify(tmp_path / "lab")
    assert said.ok, said


def _authors(found, event):
    return [one.author for one in found if isinstance(one, HypothesisRegistered) and one.id == event.hypothesis]


def test_without_a_yes_the_incumbent_stays_and_the_finding_stands():
    lab = lived(policy(PolicyRule("promote", "no")), budget=Budget(trials=900))
    assert lab.state.findings
    assert len(lab.state.incumbents) == 1


def test_quarantine_is_settled_by_the_policy():
    def quarantined(settings, answer=""):
        lab = in_memory(coin_study(policy=settings), Budget(trials=400, wall_seconds=20))
        lab.mailbox = Nods(lab, answer) if answer else None
        while not (good := lab.state.confirmation_queue.best):
            lab.step()
        alarm = Intervened(Alarm.TOO_GOOD, Step.QUARANTINE, good.id, "a perfect score", {"score": 1.0})
        lab.record([alarm])
        lab.run()
        return lab, good.id

    for settings, answer, free in (
        (PolicySettings(), "", True),
        (policy(PolicyRule("quarantine", "approval")), "approve", True),
        (policy(PolicyRule("quarantine", "approval")), "deny", False),
        (policy(PolicyRule("quarantine", "no")), "", False),
    ):
        lab, name = quarantined(settings, answer)
        released = [one for one in all_of(lab, Intervened) if one.step is Step.RELEASE and one.subject == name]
        withdrawn = [one for one in all_of(lab, HypothesisWithdrawn) if one.hypothesis == name]
        assert (len(released), len(withdrawn)) == ((1, 0) if free else (0, 1))


def test_an_export_waits_for_people(tmp_path):
    directory, out = tmp_path / "lab", tmp_path / "out"
    settings = policy(PolicyRule("export", "approval"))
    with session(coin_study(policy=settings), Budget(trials=40, wall_seconds=60), directory) as lab:
        lab.run()
    with pytest.raises(UserError, match="people have to agree"):
        export(lab=directory, csv=out)
    assert not out.exists()
    with session(coin_study(policy=settings), Budget(trials=80, wall_seconds=60), directory) as lab:
        lab.take_requests()
        (one,) = lab.state.request_log.waiting
        assert (one.asked.act, one.asked.summary) == ("export", "take tables out of the lab")
        Mailbox(directory).send(Act.APPROVE, "bob", {"approval": one.asked.id, "content": one.asked.content})
        lab.run()
    export(lab=directory, csv=out)
    assert out.exists()
    with pytest.raises(UserError, match="people have to agree"):
        export("h1", lab=directory, output=tmp_path / "pack.zip")  # an approval is for one content


def test_an_export_that_no_rule_allows_is_refused(tmp_path):
    settings = PolicySettings((PolicyRule("propose", "yes"),))
    with session(coin_study(policy=settings), Budget(trials=40, wall_seconds=60), tmp_path) as lab:
        lab.run()
    with pytest.raises(UserError, match="does not let"):
        export(lab=tmp_path, csv=tmp_path / "out")


def test_amounts_of_rules_are_written_as_budgets_are():
    text = """
    name = "x"
    arena = "coinflip"
    [policy]
    rules = [{ act = "spend", allow = "approval", over = "$2, cpu 10m" }]
    """
    (rule,) = parse_study(text, "x.toml").study.policy.rules
    assert rule.over == Budget(money=2.0, cpu_seconds=600.0)
    assert dataclasses.replace(rule, over=Budget()) == PolicyRule("spend", "approval")
