"""Candidates that diverge, or cost far more than the incumbent, and an incumbent that begins to fail."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator

from novum.core.events.event import Event
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.events.trials import TrialFinished
from novum.core.model.intervention import Alarm, Step
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase
from novum.core.state.trial_costs import compute_of
from novum.governance.alarms.alarm_inputs import AlarmInputs
from novum.governance.binomial import more_than_before

GROUPS = 2
"""Trial groups that must have failed: one alone may have been the worker's fault."""


def divergence(state: CampaignState, inputs: AlarmInputs) -> Iterator[Intervened]:
    """Hypotheses all of whose trials diverged: each author's first, second, fourth, eighth."""
    del inputs
    for name, count in state.alarm_signals.diverging.items():
        one = state.hypotheses[name]
        trials, who = state.sweep_costs[one.candidate.id].diverged, state.alarm_signals.who(one.registered.author)
        words = (
            f"all {trials} trials of {name} diverged or gave NaN; {count} of the hypotheses of {who} ended so by now"
        )
        yield Intervened(Alarm.DIVERGENCE, Step.NOTE, name, words, {"trials": trials, "hypotheses": count})


def failing_incumbent(state: CampaignState, inputs: AlarmInputs) -> Iterator[Intervened]:
    """The incumbent gives no score in confirmations more often than its earlier runs let expect. Said once of each."""
    incumbent = state.incumbent
    name, reign = incumbent.candidate.id, state.alarm_signals.incumbent_runs.get(incumbent.candidate.id)
    if reign is None or len({group for group, failed in reign.recent if failed}) < GROUPS:
        return
    if any(one.alarm is Alarm.DIVERGENCE for one in state.intervention_log.about.get(name, ())):
        return
    own = [run for run in _crowning(state, incumbent.hypothesis) if run.kind is not OutcomeKind.LOST]
    before = reign.runs + len(own)
    failed_before = reign.failed + sum(run.score is None for run in own)
    count, failed = len(reign.recent), sum(failed for _, failed in reign.recent)
    chance = more_than_before(failed, count, failed_before, before)
    if before and chance < inputs.settings.failure_level:
        # The kind alone: proposers read this, and nothing reaches them that a run on the gate's data printed.
        kind = next((run.kind for run, plan in reversed(state.failures) if plan.candidate.id == name), "")
        words = (
            f"THE INCUMBENT ITSELF FAILS: {failed} of its last {count} runs in confirmations gave no score, "
            f"{failed_before} of {before} before ({kind}); look into it before you believe "
            "what beats it"
        )
        evidence = {"runs": count, "failed": failed, "before": before, "failed_before": failed_before}
        yield Intervened(Alarm.DIVERGENCE, Step.NOTE, name, words, {**evidence, "chance": chance})


def _crowning(state: CampaignState, hypothesis: str | None) -> list[TrialFinished]:
    """The fresh runs by which an incumbent became one."""
    return list(state.hypotheses[hypothesis].runs[Side.CANDIDATE].values()) if hypothesis else []


def runaway_cost(state: CampaignState, inputs: AlarmInputs) -> Iterator[Event]:
    """Hypotheses in screening whose trials take far more compute than the incumbent's.

    Their cost is known before their screening ends, so those that wait for a confirmation have all been looked at.
    """
    settings, unit = inputs.settings, "GPU" if state.spec.gpus else "CPU"
    for one in state.open_hypotheses(Phase.SCREENING):
        effort = state.sweep_costs.get(one.candidate.id)
        mine = effort.each if effort else 0.0
        if effort is None or mine <= settings.cost_floor:
            continue
        usual = _usual(state, one.registered.incumbent)
        if usual is None or mine <= settings.cost_factor * usual * _slower(state, usual):
            continue
        words = (
            f"{one.id} is withdrawn: its trials take {mine:.3g} {unit} seconds each, more than "
            f"{settings.cost_factor:g} times the incumbent's {usual:.3g}"
        )
        seconds = f"{unit.lower()}_seconds"
        evidence = {seconds: mine, "trials": float(effort.trials), f"incumbent_{seconds}": usual}
        if not state.intervention_log.about.get(one.id):
            yield Intervened(Alarm.RUNAWAY_COST, Step.WITHDRAW, one.id, words, evidence)
        yield HypothesisWithdrawn(one.id, f"runaway cost: {words}")


def _slower(state: CampaignState, usual: float) -> float:
    """How much longer trials take at present than the incumbent's did: a busy machine is no candidate's fault."""
    return max(1.0, state.prices.at_present(usual) / usual) if usual else 1.0


def _usual(state: CampaignState, incumbent: str) -> float | None:
    """Compute of one of its trials: the median of its fresh runs, or the mean of its sweep if that is more."""
    effort = state.sweep_costs.get(incumbent)
    known = [effort.each] if effort and effort.trials else []
    reign = next((one.hypothesis for one in reversed(state.incumbents) if one.candidate.id == incumbent), None)
    fresh = [*state.calibration.get(incumbent, {}).values(), *_crowning(state, reign)]
    sizes = Counter(run.group for run in fresh)
    if runs := [compute_of(run, sizes[run.group], state.spec.gpus) for run in fresh if run.score is not None]:
        known.append(statistics.median(runs))
    return max(known, default=None)
