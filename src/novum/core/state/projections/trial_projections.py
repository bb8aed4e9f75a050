"""Projections of trials: what is in flight, what came back, and what sweeps and calibrations showed."""

from __future__ import annotations

import bisect
import math
import statistics

from novum.core.events.trials import (
    CandidateTuned,
    GroupDispatched,
    LateReport,
    RungClosed,
    ScaleMeasured,
    TrialFinished,
)
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose, Side
from novum.core.state.arm import BLOCK, Arm
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import folds
from novum.core.state.hypothesis import Phase
from novum.core.state.learning_curves import ScreenedRun
from novum.core.state.projections.phases import rank_again, settle_screening
from novum.core.state.spread import NONE, Spread
from novum.core.state.trial_costs import SweepCost, compute_of

REMARKED = 256
"""Candidates whose scorer's remarks are remembered, the latest ones."""


@folds(GroupDispatched)
def _group_dispatched(state: CampaignState, event: GroupDispatched) -> None:
    plan = event.plan
    state.dispatched += 1
    state.in_flight[plan.id] = state.plans[plan.id] = plan
    state.in_flight_for.setdefault(plan.subject, {})[plan.id] = plan
    state.spending.dispatched(event)
    state.alarm_signals.sent(event)
    state.elapsed = max(state.elapsed, event.elapsed)
    if plan.arm and plan.purpose is Purpose.CONFIRM:
        _block_sent(state, state.arms[plan.arm], plan.members[0].index // BLOCK)
    elif plan.purpose is Purpose.CONFIRM:
        one = state.hypotheses[plan.subject]
        one.judged = max(one.judged, len(one.pairs()))
    elif plan.purpose is Purpose.FOLLOW_UP:
        further = state.hypotheses[plan.subject].follow_ups[plan.attempt - 1]
        further.judged = max(further.judged, len(further.pairs()))


def _block_sent(state: CampaignState, arm: Arm, block: int) -> None:
    """A further block of an arm leaves: what has been judged without a verdict, and the threshold, are settled."""
    if block <= arm.block:
        return
    arm.block, arm.discoveries = block, state.account.discoveries
    for one in (state.hypotheses[name] for name in arm.members):
        if one.phase is Phase.CONFIRMING:
            one.judged = max(one.judged, len(one.pairs()))


@folds(TrialFinished)
def _trial_finished(state: CampaignState, event: TrialFinished) -> None:
    plan = state.plans[event.group]
    state.trials += 1
    state.arrived_members.setdefault(event.group, set()).add(event.member)
    state.cpu_seconds += event.cpu_seconds
    state.elapsed = max(state.elapsed, event.elapsed)
    state.outcomes[event.kind] += 1
    state.follow_up_trials += state.for_follow_up(plan)
    state.spending.finished(event, plan, state.spec.gpus)
    state.alarm_signals.finished(event, plan)
    if event.kind is OutcomeKind.SCORED:
        alike = plan.purpose is Purpose.SCREEN or state.study.screening.fidelity == 1.0
        state.prices.add(event, len(plan.members), state.spec.gpus, as_screening=alike)
    elif event.kind is not OutcomeKind.STOPPED:
        state.failures.append((event, plan))
    if plan.purpose is Purpose.SCREEN:
        state.sweep_changed(plan.subject)
    state.machines.finished(event, last=event.member == len(plan.members) - 1)
    if event.member == len(plan.members) - 1:
        _land(state, plan)
    if event.kind is OutcomeKind.LOST and state.lost_trials.again(event, plan):
        return
    _file(state, event, plan, plan.members[event.member].index)
    _watch(state, event, plan)


@folds(RungClosed)
def _rung_closed(state: CampaignState, event: RungClosed) -> None:
    state.rungs[event.candidate] = event
    state.sweep_changed(event.candidate)
    if event.score is not None:
        bisect.insort(state.rung_scores, event.score if state.spec.higher_is_better else -event.score)


@folds(CandidateTuned)
def _candidate_tuned(state: CampaignState, event: CandidateTuned) -> None:
    state.tuned[event.candidate] = event
    state.sweep_changed(event.candidate)
    state.spreads[event.candidate] = _spread(state, event)
    state.sweep_scores[event.candidate] = {at: run.score for at, run in state.sweeps[event.candidate].items()}
    if others := _others(state, event):
        state.sweep_others[event.candidate] = others
    state.sweeps[event.candidate] = {}
    for hypothesis in state.screening_among([event.candidate]):
        settle_screening(state, hypothesis)
    rank_again(state, event.candidate)


@folds(ScaleMeasured)
def _scale_measured(state: CampaignState, event: ScaleMeasured) -> None:
    state.scales[event.candidate] = event
    state.alarm_signals.measured()
    rank_again(state, event.candidate)


@folds(LateReport)
def _late_report(state: CampaignState, event: LateReport) -> None:
    state.cpu_seconds += event.cpu_seconds
    state.elapsed = max(state.elapsed, event.elapsed)


def _spread(state: CampaignState, event: CandidateTuned) -> Spread:
    """How far the runs at the tuned setting scatter."""
    scores = [run.score for run in _tuned_runs(state, event) if run.score is not None]
    if not scores:
        return NONE
    return Spread.of(map(math.log, scores) if state.spec.log else scores)


def _others(state: CampaignState, event: CandidateTuned) -> dict[str, float]:
    """The mean of each further metric over the runs at the tuned setting; without those that a run does not report."""
    if not state.spec.metrics:
        return {}
    runs = [run.others for run in _tuned_runs(state, event)]
    names = [one.name for one in state.spec.metrics if runs and all(one.name in run for run in runs)]
    return {name: statistics.fmean(run[name] for run in runs) for name in names}


def _tuned_runs(state: CampaignState, event: CandidateTuned) -> list[TrialFinished]:
    """The runs at the tuned setting; none where no setting gave a score."""
    if event.score is None or event.setting not in state.spec.tuning:
        return []
    number = state.spec.tuning.index(event.setting)
    return [run for (at, _), run in state.sweeps[event.candidate].items() if at == number]


def _land(state: CampaignState, plan: Plan) -> None:
    """A group is complete. Plans of sweeps are let go: millions of trials must not weigh on the state."""
    state.in_flight.pop(plan.id, None)
    if others := state.in_flight_for.get(plan.subject):
        others.pop(plan.id, None)
        if not others:
            del state.in_flight_for[plan.subject]
    state.spending.landed(plan.id)
    state.arrived_members.pop(plan.id, None)
    if plan.purpose is Purpose.SCREEN:
        state.plans.pop(plan.id, None)


def _watch(state: CampaignState, event: TrialFinished, plan: Plan) -> None:
    """Keep a later run of a finding's candidate, on the study's own task and at the setting of the claim."""
    if plan.purpose is Purpose.SCREEN or plan.options or event.kind is OutcomeKind.LOST:
        return
    for name in state.later_runs:
        rule = state.hypotheses[name].rule
        same = rule is not None and rule.candidate.id == plan.candidate.id
        if rule and same and plan.members[event.member].setting == rule.candidate_setting:
            state.later_runs[name].append(event)


def _file(state: CampaignState, event: TrialFinished, plan: Plan, index: int) -> None:
    if plan.purpose is Purpose.SCREEN:
        number = state.spec.tuning.index(plan.members[event.member].setting)
        state.sweeps[plan.candidate.id][number, index] = event
        incumbent = state.sweep_costs.get(state.incumbent.candidate.id, SweepCost()).each
        usual = state.prices.at_present(incumbent)
        compute = compute_of(event, len(plan.members), state.spec.gpus)
        state.sweep_costs.setdefault(plan.candidate.id, SweepCost()).add(event, compute, usual)
        _file_curve(state, event, plan, index, compute, usual)
        if event.remarks:
            state.remarks[plan.candidate.id] = event.remarks
            if len(state.remarks) > REMARKED:
                del state.remarks[next(iter(state.remarks))]
    elif plan.purpose is Purpose.CALIBRATE:
        state.calibration.setdefault(plan.candidate.id, {})[index] = event
    elif plan.purpose is Purpose.FOLLOW_UP:
        state.hypotheses[plan.subject].follow_ups[plan.attempt - 1].runs[plan.side][index] = event
    elif plan.arm and plan.side is Side.INCUMBENT:
        state.arms[plan.arm].runs[index] = event
    elif (hypothesis := state.hypotheses[plan.subject]).attempt == plan.attempt:
        hypothesis.runs[plan.side][index] = event


def _file_curve(
    state: CampaignState, event: TrialFinished, plan: Plan, index: int, compute: float, usual: float
) -> None:
    """Keep the progress of a candidate's first run; runs that failed say nothing of others."""
    if index or not event.curve or event.kind not in (OutcomeKind.SCORED, OutcomeKind.STOPPED):
        return
    score = event.score if event.score is None or state.spec.higher_is_better else -event.score
    run = ScreenedRun(event.curve, compute, score, free=not plan.looks)
    state.learning_curves.add(plan.candidate.id, run, usual)
