"""Candidates that diverge, cost too much or are too good to be true, and an incumbent that begins to fail."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest
from labs import ScriptedArena, events, failing, scored
from watched import Place, Proposer, acts, interventions, scripted, settings, watched

from novum.core.events.models_and_people import ApprovalAsked
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.intervention import Step
from novum.core.model.study import PolicyRule, PolicySettings
from novum.core.model.trial import OutcomeKind, Role
from novum.core.model.trial_plan import Purpose, Side
from novum.core.state.alarm_signals import bound
from novum.core.state.hypothesis import Phase
from novum.views.campaign_summary import summarise

ACTS = ("score", "raise", "nan", "nonsense")
"""What a candidate is called; here they all do the same."""


def level(n, act="score"):
    return {"act": act, "level": n}


def points(group, value):
    return [dataclasses.replace(one, artefact=value.to_bytes(2, "little")) for one in scored(group)]


class Reported(ScriptedArena):
    """Candidates report their own score: whatever is too good may be a trick."""

    @property
    def spec(self) -> ArenaSpec:
        return dataclasses.replace(super().spec, trust="reported by the candidate itself")


def test_divergence_is_said_ever_more_rarely_and_with_its_counts():
    def plan(group):
        return (
            failing(group, OutcomeKind.DIVERGED, "loss is nan")
            if group.candidate.genome["act"] == "diverge"
            else scored(group)
        )

    study = scripted(watchdog=settings(off=("dead_end", "failure_rate")))
    arena = ScriptedArena(tuning=({"lr": 1}, {"lr": 2}, {"lr": 3}))
    sound = Proposer(lambda n: level(n, "diverge") if n < 20 else None)
    lab = watched(study, 400, place=Place(plan), arena=arena, researcher=sound)
    lab.run()
    assert acts(lab) == [("divergence", "note", f"h{n}") for n in (1, 2, 4, 8, 16)]
    assert [one.evidence for one in interventions(lab)] == [{"trials": 3, "hypotheses": n} for n in (1, 2, 4, 8, 16)]


def test_some_settings_that_diverge_are_no_divergence():
    def plan(group):
        return failing(group, OutcomeKind.DIVERGED) if group.trials[0].setting["lr"] > 1 else scored(group)

    class Single(ScriptedArena):
        @property
        def spec(self):
            return dataclasses.replace(super().spec, group_size=1)

    lab = watched(scripted(), 300, place=Place(plan), arena=Single(tuning=({"lr": 1}, {"lr": 2})))
    lab.run()
    assert lab.state.outcomes[OutcomeKind.DIVERGED] > 40
    assert "divergence" not in {alarm for alarm, _, _ in acts(lab)}


def dying(after):
    """The incumbent crashes on every second seed of confirmations, after so many of its groups were sound."""
    seen = []

    def plan(group):
        if group.role is not Role.GATE or group.candidate.genome["level"]:
            return scored(group)
        seen.append(group.id)
        if len(seen) <= after:
            return scored(group)
        broken = failing(group, OutcomeKind.CRASHED, "CUDA error 719")
        return [bad if n % 2 else good for n, (good, bad) in enumerate(zip(scored(group), broken, strict=True))]

    return plan


def test_an_incumbent_that_begins_to_fail_is_said_loudly_and_once():
    worse = Proposer(lambda n: level(n % 40, ACTS[n // 40]) if n < 159 else None)
    lab = watched(scripted(watchdog=settings(off=("plateau",))), 1200, place=Place(dying(12)), researcher=worse)
    lab.run()
    baseline = lab.state.incumbents[0].candidate.id
    loud = [one for one in interventions(lab) if one.subject == baseline]
    assert len(loud) == 1
    assert "THE INCUMBENT ITSELF FAILS" in loud[0].words
    assert "(crashed)" in loud[0].words
    assert "CUDA" not in str(loud[0])  # proposers read it, and this was printed over the gate's data
    fresh = []
    for event in events(lab):
        if event == loud[0]:
            break
        if isinstance(event, TrialFinished):
            purpose = lab_purposes(lab)[event.group]
            fresh += [(purpose, event)] if purpose else []
    latest = [run for purpose, run in fresh if purpose is not Purpose.CALIBRATE]
    recent, before = latest[-20:], latest[:-20] + [run for purpose, run in fresh if purpose is Purpose.CALIBRATE]
    figures = loud[0].evidence
    assert figures["runs"] == len(recent)
    assert figures["failed"] == sum(run.score is None for run in recent)
    assert figures["before"] == len(before)
    assert figures["failed_before"] == sum(run.score is None for run in before) == 0
    assert figures["chance"] < 1e-3


def lab_purposes(lab):
    """What the runs of the incumbent on fresh seeds were for, by group; nothing for others."""
    from novum.core.events.trials import GroupDispatched

    plans = [event.plan for event in events(lab) if isinstance(event, GroupDispatched)]
    wanted = (Purpose.CALIBRATE, Purpose.CONFIRM, Purpose.ESTIMATE)
    return {plan.id: plan.purpose if plan.side is Side.INCUMBENT and plan.purpose in wanted else None for plan in plans}


def test_an_incumbent_that_always_failed_now_and_then_is_nothing_new():
    """Every eighth of its runs crashes, from the first calibration run on."""
    rng = random.Random(3)

    def plan(group):
        if group.role is not Role.GATE or group.candidate.genome["level"]:
            return scored(group)
        broken = failing(group, OutcomeKind.CRASHED)
        return [bad if rng.random() < 0.125 else good for good, bad in zip(scored(group), broken, strict=True)]

    worse = Proposer(lambda n: level(n % 40, ACTS[n // 40]) if n < 159 else None)
    lab = watched(scripted(watchdog=settings(off=("plateau",))), 1500, place=Place(plan), researcher=worse)
    lab.run()
    assert sum(plan.side is Side.INCUMBENT for _, plan in lab.state.failures) > 10
    assert acts(lab) == []


def test_runaway_cost_is_withdrawn_from_screening_and_nothing_else_is():
    """Level 7 takes 5 CPU seconds a trial, level 8 half a second, all others a hundredth."""

    def cost(group):
        return {7: 5.0, 8: 0.5}.get(group.candidate.genome["level"], 0.01)

    proposer = Proposer(lambda n: level(n) if n < 12 else None)
    lab = watched(scripted(), 400, place=Place(cost=cost), researcher=proposer)
    lab.run()
    (one,) = interventions(lab)
    assert (one.alarm, one.step, one.subject) == ("runaway_cost", "withdraw", "h7")
    assert one.evidence["cpu_seconds"] == pytest.approx(5.0)
    assert one.evidence["trials"] == 1
    assert one.evidence["incumbent_cpu_seconds"] == pytest.approx(0.01)
    record = events(lab)
    place = record.index(one)
    assert record[place + 1] == HypothesisWithdrawn("h7", f"runaway cost: {one.words}")
    assert lab.state.hypotheses["h7"].phase is Phase.WITHDRAWN
    assert lab.state.sweep_costs[lab.state.hypotheses["h7"].candidate.id].trials == 1
    assert "h7" not in {event.hypothesis for event in record if isinstance(event, ConfirmationOpened)}
    now = summarise(lab.state)
    assert now.hypotheses == now.supported + now.refuted + now.inconclusive + now.failed


def test_what_becomes_dear_only_in_its_confirmation_is_confirmed():
    def cost(group):
        return 5.0 if group.role is Role.GATE and group.candidate.genome["level"] == 39 else 0.01

    lab = watched(
        scripted(), 400, place=Place(cost=cost), researcher=Proposer(lambda n: level(40 - n) if n < 9 else None)
    )
    lab.run()
    assert acts(lab) == []
    assert lab.state.hypotheses["h1"].rule


def leap(group):
    """Level 5 scores 60 where all others score half a point."""
    return points(group, 60_000) if group.candidate.genome["level"] == 5 else scored(group)


FEW = Proposer(lambda n: level(n) if n < 30 else None)


def test_a_leap_of_typed_genes_is_remarked_upon_and_confirmed():
    lab = watched(scripted(), 500, place=Place(leap), researcher=FEW)
    lab.run()
    one = next(one for one in interventions(lab) if one.subject == "h5")
    assert (one.alarm, one.step) == ("too_good", "note")
    assert one.evidence["times"] == pytest.approx(one.evidence["gain"] / one.evidence["sigma"])
    scale = lab.state.scales[lab.state.hypotheses["h5"].registered.incumbent]
    assert one.evidence["sigma"] == scale.sigma
    assert one.evidence["gain"] == pytest.approx(60.0 - scale.mean)
    assert summarise(lab.state).findings[0].id == "h5"


def test_a_leap_of_code_goes_into_quarantine_and_its_finding_is_marked():
    lab = watched(scripted(), 500, place=Place(leap), arena=Reported(), researcher=FEW)
    lab.run()
    about = [(step, subject) for alarm, step, subject in acts(lab) if alarm == "too_good"]
    assert about == [("quarantine", "h5"), ("release", "h5")]
    finding = summarise(lab.state).findings[0]
    assert finding.id == "h5"
    assert "standard deviations" in finding.suspicion
    record = events(lab)
    opened = next(
        n for n, event in enumerate(record) if isinstance(event, ConfirmationOpened) and event.hypothesis == "h5"
    )
    assert record.index(interventions(lab)[0]) < opened


@pytest.mark.parametrize("allow", ["no", "approval"])
def test_the_policy_decides_on_what_is_in_quarantine(allow):
    rules = [PolicyRule(act, "yes") for act in ("propose", "promote")] + [PolicyRule("quarantine", allow)]
    study = scripted(policy=PolicySettings(tuple(rules), patience=1.0))
    lab = watched(study, 500, place=Place(leap), arena=Reported(), researcher=FEW)
    while not lab.state.request_log.waiting and lab.step():
        pass
    asked = [event for event in events(lab) if isinstance(event, ApprovalAsked)]
    assert [one.act for one in asked] == (["quarantine"] if allow == "approval" else [])
    lab.clock.now += 5.0
    lab.run()
    assert lab.state.hypotheses["h5"].phase is Phase.WITHDRAWN
    assert "too good to be true" in lab.state.hypotheses["h5"].withdrawn
    assert "h5" not in {event.hypothesis for event in events(lab) if isinstance(event, ConfirmationOpened)}


def test_perfection_of_code_goes_into_quarantine_whatever_its_noise():
    """The noise is so large that no gain is many standard deviations of it."""
    quiet = scripted(watchdog=settings(too_good=1e9))
    lab = watched(quiet, 500, place=Place(leap), arena=Reported(ceiling=60.0), researcher=FEW)
    lab.run()
    about = [(step, subject) for alarm, step, subject in acts(lab) if alarm == "too_good"]
    assert about[0] == ("quarantine", "h5")
    assert "which is perfection" in interventions(lab)[0].words


def test_perfection_of_a_loss_is_its_ceiling_and_a_guess_is_no_perfection():
    """Level 5 loses a thousandth where all others lose half a point, and a guess loses half a point too."""

    class Losing(Reported):
        @property
        def spec(self) -> ArenaSpec:
            return dataclasses.replace(super().spec, higher_is_better=False, floor=0.5, ceiling=0.0)

    def low(group):
        return points(group, 1 if group.candidate.genome["level"] == 5 else 500)

    lab = watched(scripted(watchdog=settings(too_good=1e9)), 500, place=Place(low), arena=Losing(), researcher=FEW)
    lab.run()
    about = [(step, subject) for alarm, step, subject in acts(lab) if alarm == "too_good"]
    assert about[0] == ("quarantine", "h5")
    assert {subject for _, subject in about} == {"h5"}
    assert "which is perfection (0)" in interventions(lab)[0].words


def test_a_jump_that_nothing_came_near_goes_into_quarantine():
    def late(group):
        return points(group, 60_000) if group.candidate.genome["level"] == 15 else scored(group)

    quiet = scripted(watchdog=settings(too_good=1e9))
    for arena, expected in ((Reported(), True), (Reported(ceiling=1000.0), False), (ScriptedArena(), False)):
        lab = watched(quiet, 800, place=Place(late), arena=arena, researcher=FEW)
        lab.run()
        jumps = [one for one in interventions(lab) if one.alarm == "too_good" and "times what any of" in one.words]
        assert bool(jumps) is expected
        assert all(lab.state.hypotheses[one.subject].candidate.genome["level"] == 15 for one in jumps)


def test_a_score_beyond_perfection_is_quarantined_whatever_the_candidates_are():
    lab = watched(scripted(), 500, place=Place(leap), arena=ScriptedArena(ceiling=10.0), researcher=FEW)
    lab.run()
    first = interventions(lab)[0]
    assert (first.step, first.subject) == (Step.QUARANTINE, "h5")
    assert first.evidence == {"score": 60.0, "limit": pytest.approx(10.01)}


def test_a_score_at_an_implausible_level_is_quarantined():
    study = scripted(watchdog=settings(implausible=60.0))
    lab = watched(study, 500, place=Place(leap), researcher=FEW)
    lab.run()
    assert acts(lab)[0] == ("too_good", "quarantine", "h5")
    study = scripted(watchdog=settings(implausible=60.001))
    lab = watched(study, 500, place=Place(leap), researcher=FEW)
    lab.run()
    assert ("too_good", "quarantine", "h5") not in acts(lab)


def test_a_baseline_beyond_perfection_shows_that_the_bound_is_wrong():
    lab = watched(scripted(), 500, arena=ScriptedArena(ceiling=0.4), researcher=FEW)
    lab.run()
    suspect = [one for one in interventions(lab) if one.alarm == "too_good"]
    assert [(one.step, one.subject) for one in suspect] == [("note", lab.state.incumbents[0].candidate.id)]
    assert "is wrong" in suspect[0].words


def test_what_goes_beyond_only_in_its_confirmation_is_marked_and_goes_on():
    def plan(group):
        gate = group.role is Role.GATE and group.candidate.genome["level"] == 39
        return points(group, 60_000) if gate else scored(group)

    lab = watched(
        scripted(), 400, place=Place(plan), arena=ScriptedArena(ceiling=10.0),
        researcher=Proposer(lambda n: level(40 - n) if n < 9 else None),
    )  # fmt: skip
    lab.run()
    assert acts(lab) == [("too_good", "note", "h1")]
    assert "60" not in interventions(lab)[0].words
    assert not interventions(lab)[0].evidence
    assert "beyond what can be" in summarise(lab.state).findings[0].suspicion


@pytest.mark.parametrize(
    ("changes", "implausible", "expected"),
    [
        ({"ceiling": 1.0}, None, 1.01),
        ({"ceiling": 1.0, "resolution": 0.0}, None, 1.0),
        ({"ceiling": 0.5, "higher_is_better": False}, None, 0.49),
        ({"ceiling": 2.0, "log": True}, None, 2.0 * math.exp(0.01)),
        ({"ceiling": 0.0, "log": True, "higher_is_better": False}, None, 0.0),
        ({"ceiling": 1.0}, 0.9, 0.9),
        ({"ceiling": 1.0}, 1.5, 1.01),
        ({"higher_is_better": False}, 3.0, 3.0),
        ({}, None, None),
    ],
)
def test_the_best_score_that_can_be(changes, implausible, expected):
    found = bound(dataclasses.replace(ScriptedArena().spec, **changes), implausible)
    assert found is None if expected is None else found == pytest.approx(expected)
