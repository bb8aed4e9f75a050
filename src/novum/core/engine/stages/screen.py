"""Screening: a cheap look at every candidate on search seeds, the same sweep for all. None of it is evidence."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from novum.core.engine.claim import renewed
from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import committed, dispatch, price, refuses_payer
from novum.core.events.event import Event
from novum.core.events.proposals import HypothesisRegistered, HypothesisSuperseded, HypothesisWithdrawn
from novum.core.events.trials import CandidateTuned, RungClosed, ScaleMeasured
from novum.core.model.candidate import Candidate
from novum.core.model.errors import StudyError
from novum.core.model.metric import gain
from novum.core.model.run_progress import Look
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.state.campaign_state import CampaignState, Sweep
from novum.core.state.hypothesis import Phase
from novum.core.state.learning_curves import UNTOUCHED_ONE_IN
from novum.core.state.trial_costs import SweepCost


def learn(campaign: Campaign) -> list[Event]:
    """Conclude sweeps and scales whose runs are complete."""
    return [*_tune(campaign), *_scale(campaign)]


def screen(campaign: Campaign) -> list[Event]:
    """Send the next sweep, the incumbent's own first, then those of registered hypotheses."""
    state, unswept = campaign.state, campaign.unswept
    unswept.update(state)
    lacking = unswept.lacking
    waiting = state.by_phase[Phase.SCREENING].values() if lacking is None else state.screening_among(lacking)
    if events := sweep(campaign, chain([state.incumbent.candidate], (one.candidate for one in waiting))):
        return events
    if not unswept.refused:
        unswept.lacking = set(state.rivals)  # of the others none lacks anything, or they are closed
    return []


def sweep(campaign: Campaign, candidates: Iterable[Candidate]) -> list[Event]:
    """Send the next part of the first sweep that is not complete, if it can be afforded."""
    unswept = campaign.unswept
    unswept.update(campaign.state)
    unswept.refused = False
    if unswept.lacking is not None and not unswept.lacking:
        return []
    for candidate in candidates:
        if not unswept.may_lack(candidate.id):
            continue
        if plan := _sweep_plan(campaign, candidate):
            events = dispatch(campaign, [plan], committed(campaign))
            unswept.refused = not events
            return events
        unswept.lacks_nothing(candidate.id)
    return []


def withdraw(campaign: Campaign) -> list[Event]:
    """Close hypotheses whose own budget, or whose author's, pays for no further trial of their sweep."""
    if not campaign.study.budgets.given:
        return []
    flying = campaign.state.in_flight_for
    for one in campaign.state.open_hypotheses(Phase.SCREENING):
        plan = None if one.candidate.id in flying else _sweep_plan(campaign, one.candidate)
        needed = price(campaign.state, len(plan.members), campaign.context.slots) if plan else None
        reason = refuses_payer(campaign, needed, campaign.state.spending.of(one.candidate.id)) if needed else None
        if reason:
            return [HypothesisWithdrawn(one.id, f"its screening cannot be paid to its end: {reason}")]
    return []


def retire(campaign: Campaign) -> list[Event]:
    """Close screened hypotheses whose incumbent has been replaced; promising ones are claimed anew."""
    events: list[Event] = []
    count = len(campaign.state.hypotheses)
    for hypothesis in campaign.state.open_hypotheses(Phase.STALE):
        successor = renewed(campaign, hypothesis, campaign.state.incumbent.candidate, f"h{count + 1}")
        if any(
            isinstance(e, HypothesisRegistered) and successor and e.candidate == successor.candidate for e in events
        ):
            successor = None
        events.append(HypothesisSuperseded(hypothesis.id, successor.id if successor else None))
        if successor:
            count += 1
            events.append(successor)
    return events


def _sweep_plan(campaign: Campaign, candidate: Candidate) -> Plan | None:
    """The part of a candidate's sweep that is neither run nor in flight, at most one group of it."""
    if _complete(campaign.state, candidate.id):
        return None
    flying = {
        (campaign.spec.tuning.index(member.setting), member.index)
        for plan in campaign.state.sent_for(candidate.id)
        if plan.purpose is Purpose.SCREEN
        for member in plan.members
    }
    done: Sweep = campaign.state.sweeps[candidate.id]
    missing = [
        Member(seed, setting)
        for number, setting in enumerate(campaign.spec.tuning)
        for seed in range(_seeds_due(campaign.state, candidate.id))
        if (number, seed) not in done and (number, seed) not in flying
    ]
    if not missing:
        return None
    members = tuple(missing[: campaign.spec.group_size])
    name = f"g{campaign.state.dispatched + 1}"
    fidelity = campaign.study.screening.fidelity
    looks = () if done or len(members) > 1 else _looks(campaign.state, candidate)
    return Plan(name, Purpose.SCREEN, candidate.id, Side.CANDIDATE, candidate, members, fidelity, looks=looks)


def _looks(state: CampaignState, candidate: Candidate) -> tuple[Look, ...]:
    """When a candidate's first run is judged by its progress; one run in a few is not, and tells what that is worth."""
    if candidate.id == state.incumbent.candidate.id or candidate.id in state.rivals:
        return ()
    if state.dispatched % UNTOUCHED_ONE_IN == 0:
        return ()
    usual = state.sweep_costs.get(state.incumbent.candidate.id, SweepCost()).each
    return state.learning_curves.looks(state.prices.at_present(usual), state.study.screening.reduction_factor)


def _tune(campaign: Campaign) -> list[Event]:
    """Close the first rung or the sweep of the first candidate whose runs are complete so far."""
    state, unswept = campaign.state, campaign.unswept
    changed = state.sweeps_changed_since(unswept.concluded)
    if not changed:
        return []
    complete = [one for one in (state.sweeps if "" in changed else changed) if _is_whole(state, one)]
    if complete:
        due = (state.screening_of, state.rivals, {state.incumbent.candidate.id})
        if found := min((one for one in complete if any(one in those for those in due)), default=None):
            return [next_step(state, found)]
    unswept.concluded = state.revision
    return []


def _is_whole(state: CampaignState, candidate: str) -> bool:
    """Whether all runs of a candidate's sweep that are due by now are in, and it has not been closed with them."""
    done = state.sweeps.get(candidate)
    if not done or _complete(state, candidate):
        return False
    return len(done) == _settings(state) * _seeds_due(state, candidate)


def _complete(state: CampaignState, candidate: str) -> bool:
    """Whether a candidate's sweep has been closed, with as many seeds as it is due by now."""
    done = state.tuned.get(candidate)
    return done is not None and (candidate not in state.rivals or done.seeds >= _seeds_due(state, candidate))


def next_step(state: CampaignState, candidate: str) -> Event:
    """What follows from a complete rung: the rung is closed, or the sweep is."""
    result = tuned(state, candidate)
    if result.seeds >= state.study.screening.seeds or candidate in state.rungs:
        return result
    return RungClosed(candidate, result.score, _advances(state, result.score))


def _advances(state: CampaignState, score: float | None) -> bool:
    """Whether a first-rung score is among the best one in `advance_one_in` of those so far, itself included."""
    if score is None:
        return False
    signed = score if state.spec.higher_is_better else -score
    better = len(state.rung_scores) - bisect.bisect_right(state.rung_scores, signed)
    return better * state.study.screening.advance_one_in <= len(state.rung_scores)


def _seeds_due(state: CampaignState, candidate: str) -> int:
    """Search seeds per setting that a candidate has earned: all of them past the first rung, and as a rival to beat."""
    screening = state.study.screening
    rung = state.rungs.get(candidate)
    if candidate == state.incumbent.candidate.id or candidate in state.rivals or (rung and rung.advanced):
        return screening.seeds
    return min(screening.first_seeds, screening.seeds)


def _settings(state: CampaignState) -> int:
    return len(state.spec.tuning)


def tuned(state: CampaignState, candidate: str) -> CandidateTuned:
    """The best setting by the mean over the seeds run so far; a setting with a failed run has no mean."""
    sweep, seeds = state.sweeps[candidate], _seeds_due(state, candidate)
    scores: list[float | None] = []
    for number in range(len(state.spec.tuning)):
        runs = [sweep[number, seed] for seed in range(seeds)]
        values = [run.score for run in runs if run.score is not None]
        scores.append(statistics.fmean(values) if len(values) == len(runs) else None)
    up = state.spec.higher_is_better
    ranked = [(score if up else -score, -n) for n, score in enumerate(scores) if score is not None]
    if not ranked:
        if candidate == state.incumbents[0].candidate.id:
            cause = next(iter(sweep.values()))
            raise StudyError(
                f"the baseline gave no score at any tuning setting ({cause.kind}: {cause.cause or 'no cause given'}); "
                "mend the study's options, limits or baseline"
            )
        return CandidateTuned(candidate, {}, None, tuple(scores), seeds)
    best = -max(ranked)[1]
    return CandidateTuned(candidate, state.spec.tuning[best], scores[best], tuple(scores), seeds)


def _scale(campaign: Campaign) -> list[Event]:
    """The A/A scale of the incumbent, once all of its calibration runs are in."""
    candidate = campaign.state.incumbent.candidate.id
    wanted = campaign.state.calibration_runs
    if candidate in campaign.state.scales or len(campaign.state.calibration.get(candidate, {})) < wanted:
        return []
    found = calibration(campaign.state, candidate)
    if found.pairs < max(2, wanted // 4):
        raise StudyError(
            f"only {found.pairs} of {wanted // 2} calibration pairs of the incumbent gave scores, so its noise cannot "
            "be measured; see `novum failures` and mend the study's options or limits"
        )
    key = campaign.context.calibration_key(candidate).hex()
    others = further_scales(campaign.state, candidate)
    return [ScaleMeasured(candidate, found.sigma, found.mean, found.pairs, Purpose.CALIBRATE, key, others)]


def further_scales(state: CampaignState, candidate: str) -> dict[str, float]:
    """Sigma of the spec's further metrics from the same calibration runs; 0 for a single run."""
    runs = [run for _, run in sorted(state.calibration.get(candidate, {}).items()) if run.score is not None]
    found = {}
    for metric in state.spec.metrics:
        values = [math.log(run.others[metric.name]) if metric.log else run.others[metric.name] for run in runs]
        found[metric.name] = statistics.stdev(values) * math.sqrt(2) if len(values) > 1 else 0.0
    return found


@dataclass(frozen=True, slots=True)
class Calibration:
    """The noise of the incumbent: sd of the difference of two runs, mean score, and how many pairs it rests on."""

    sigma: float
    mean: float
    pairs: int


def calibration(state: CampaignState, candidate: str) -> Calibration:
    """From differences of consecutive calibration runs, pairs with a failed run left out.

    A test without a scale has three runs or so, and takes the sd of single ones; they count as two pairs.
    """
    scores = state.noise_scores(candidate)
    up, log = state.spec.higher_is_better, state.spec.log
    scored = [score for score in scores if score is not None]
    mean = statistics.fmean(scored or [0.0])
    if state.study.gate.process == "scale-free":
        values = [math.log(score) for score in scored] if log else scored
        enough = len(values) > 1
        return Calibration(statistics.stdev(values) * math.sqrt(2) if enough else 0.0, mean, 2 if enough else 0)
    gains = [
        gain(first, second, higher_is_better=up, log=log)
        for first, second in zip(scores[::2], scores[1::2], strict=False)
        if first is not None and second is not None
    ]
    return Calibration(statistics.stdev(gains) if len(gains) > 1 else 0.0, mean, len(gains))
