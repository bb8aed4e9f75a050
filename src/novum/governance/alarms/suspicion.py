"""What is too good to be true: scores beyond perfection, and gains that no honest change makes.

Where candidates are code such a score may be a trick, so the hypothesis goes into quarantine before its confirmation.
Where they are typed genes nothing foreign runs, and a large gain is only remarked upon.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from novum.core.events.oversight import Intervened
from novum.core.model.arena_spec import room
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.governance.alarms.alarm_inputs import AlarmInputs

JUMP = 10.0
"""Times the best gain of any earlier candidate, and at least half of the way to perfection where that is known."""
FEWEST_BEFORE = 8
"""Candidates that must have been screened before a jump can be told."""


def too_good(state: CampaignState, inputs: AlarmInputs, screened: Iterable[Hypothesis]) -> Iterator[Intervened]:
    """What is suspect among hypotheses that wait for their confirmation, or are being confirmed."""
    if state.alarm_signals.beyond and (wrong := _wrong_bound(state)):
        if not _said(state, wrong.subject):
            yield wrong
    elif state.alarm_signals.beyond:
        yield from (_beyond(state, one) for one in screened if _waits(state, one) and _went_beyond(state, one))
        for one in state.open_hypotheses(Phase.CONFIRMING, Phase.ESTIMATING):
            if _went_beyond(state, one) and not _said(state, one.id):
                # How far it went is a score of its confirmation, which nobody who proposes may see.
                words = (
                    f"{one.id} scores beyond what can be; its confirmation goes on, and what is found of it is marked"
                )
                yield Intervened(Alarm.TOO_GOOD, Step.NOTE, one.id, words)
    leaps = list(_leaps(state, inputs, screened))
    yield from leaps
    told = {one.subject for one in leaps}
    for one in screened if inputs.foreign else ():
        fit = one.id not in told and _waits(state, one) and not _went_beyond(state, one)
        if fit and (found := _unearned(state, one)):
            yield found


def _unearned(state: CampaignState, one: Hypothesis) -> Intervened | None:
    """A score at the ceiling, or a jump that no earlier candidate came near, whatever the noise."""
    tuned, gain, spec = state.tuned.get(one.candidate.id), state.advantage(one), state.spec
    if tuned is None or tuned.score is None or gain is None or gain <= 0:
        return None
    figures = {"score": tuned.score, "gain": gain}
    left = room(spec, tuned.score)
    if left is not None and abs(left) <= spec.resolution:
        words = f"{one.id} scored {tuned.score:.6g}, which is perfection ({spec.ceiling:g}): it goes into quarantine"
        return Intervened(Alarm.TOO_GOOD, Step.QUARANTINE, one.id, words, figures)
    level = state.level(one.registered.incumbent)
    before = None if level is None else room(spec, level)
    half_way = before / 2 if before is not None and math.isfinite(before) else 0.0
    if gain < max(JUMP * spec.resolution, half_way):
        return None  # before all others are looked at, since this is asked of every hypothesis
    rest = (other for other in state.hypotheses.values() if other.candidate.id != one.candidate.id)
    others = [state.advantage(other) or 0.0 for other in rest]
    if len(others) < FEWEST_BEFORE or gain < JUMP * max(others):
        return None
    words = f"{one.id} gains {gain:.3g}, {JUMP:g} times what any of {len(others)} others did: it goes into quarantine"
    return Intervened(Alarm.TOO_GOOD, Step.QUARANTINE, one.id, words, figures)


def _leaps(state: CampaignState, inputs: AlarmInputs, screened: Iterable[Hypothesis]) -> Iterator[Intervened]:
    """Screening gains of many standard deviations."""
    for one in screened:
        scale, gain = state.scales.get(one.registered.incumbent), state.advantage(one)
        if scale is None or scale.sigma <= 0 or gain is None:
            continue
        sigma = max(scale.sigma, state.spec.resolution)  # noise below what means anything is no measure of surprise
        if gain <= inputs.settings.too_good * sigma:
            continue
        if not _waits(state, one) or (_went_beyond(state, one) and not _wrong_bound(state)):
            continue
        if not inputs.foreign and one.registered.incumbent in state.alarm_signals.amazed:
            continue
        times = gain / sigma
        words = f"{one.id} gains {times:.3g} standard deviations of an A/A difference in screening"
        words += ": it goes into quarantine" if inputs.foreign else "; look whether that can be"
        step = Step.QUARANTINE if inputs.foreign else Step.NOTE
        yield Intervened(Alarm.TOO_GOOD, step, one.id, words, {"gain": gain, "sigma": sigma, "times": times})
        if not inputs.foreign:
            return  # said once for each incumbent


def _beyond(state: CampaignState, one: Hypothesis) -> Intervened:
    score, limit = state.alarm_signals.beyond[one.candidate.id], state.alarm_signals.limit or 0.0
    words = f"{one.id} scored {score:.6g}, beyond {limit:.6g}, which no score can be: it goes into quarantine"
    return Intervened(Alarm.TOO_GOOD, Step.QUARANTINE, one.id, words, {"score": score, "limit": limit})


def _wrong_bound(state: CampaignState) -> Intervened | None:
    """The baseline itself went beyond: then it is the bound that is wrong, and it says nothing of others."""
    baseline = state.incumbents[0].candidate.id
    if baseline not in state.alarm_signals.beyond:
        return None
    score, limit = state.alarm_signals.beyond[baseline], state.alarm_signals.limit or 0.0
    words = (
        f"the baseline itself scored {score:.6g}, beyond {limit:.6g}, which no score should be: the spec's ceiling, or "
        "watchdog.implausible, is wrong, and no score is held against it"
    )
    return Intervened(Alarm.TOO_GOOD, Step.NOTE, baseline, words, {"score": score, "limit": limit})


def _went_beyond(state: CampaignState, one: Hypothesis) -> bool:
    return one.candidate.id in state.alarm_signals.beyond


def _waits(state: CampaignState, one: Hypothesis) -> bool:
    """Whether a hypothesis could still be confirmed, and nothing has been said of it."""
    return one.phase is Phase.WAITING and not _said(state, one.id)


def _said(state: CampaignState, subject: str) -> bool:
    return any(one.alarm is Alarm.TOO_GOOD for one in state.intervention_log.about.get(subject, ()))
