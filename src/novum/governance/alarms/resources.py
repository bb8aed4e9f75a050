"""What the machine has left: with too little disk or memory nothing new is started, and in the end the session stops.

A machine without memory kills somebody, perhaps the lab; a full disk ends the record. Trials that are running go on:
most give back what they hold when they end.
"""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.events.oversight import Intervened
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.core.state.interventions import SECOND
from novum.governance.alarms.alarm_inputs import AlarmInputs
from novum.governance.machine_resources import Reading

DISK_EASE, MEMORY_EASE = 2.0, 1.25
"""How many times what was too little there must be again."""

MUTED_SECONDS = 60.0
"""For how long memory is not held against the needs of the next group after it was short, doubled each time."""

MOST_DOUBLINGS = 6

NAMES = {Alarm.DISK: "free on the lab's disk", Alarm.MEMORY: "of memory available"}


def low_resources(state: CampaignState, inputs: AlarmInputs, reading: Reading, elapsed: float) -> Iterator[Intervened]:
    """Hold, release or stop, for disk and memory each."""
    settings = inputs.settings
    least = float(settings.free_bytes)
    if reading.disk is not None and Alarm.DISK not in settings.off:
        yield from _weigh(state, inputs, Alarm.DISK, reading.disk, (least, DISK_EASE * least), elapsed)
    if reading.memory is not None and Alarm.MEMORY not in settings.off:
        yield from _weigh(state, inputs, Alarm.MEMORY, reading.memory, _memory(state, inputs, elapsed), elapsed)


def _weigh(
    state: CampaignState, inputs: AlarmInputs, alarm: Alarm, has: int, bounds: tuple[float, float], elapsed: float
) -> Iterator[Intervened]:
    """bounds: bytes below which nothing is started, and from which on it goes on."""
    needed, enough = bounds
    intervention_log, name = state.intervention_log, NAMES[alarm]
    evidence = {"bytes": float(has), "needed": needed, SECOND: elapsed}
    if alarm not in intervention_log.holds:
        if has < needed:
            words = f"only {_mib(has)} {name}, needed are {_mib(needed)}: nothing new is started"
            yield Intervened(alarm, Step.HOLD, "", words, evidence)
    elif has >= enough:
        words = f"{_mib(has)} {name} again: the lab goes on"
        yield Intervened(alarm, Step.RELEASE, "", words, {**evidence, "needed": enough})
    elif not state.in_flight and not intervention_log.stopped:
        held = elapsed - max(intervention_log.since.get(alarm, 0.0), state.alarm_signals.flights.last)
        if held >= inputs.settings.patience:
            words = f"stopped by the watchdog: only {_mib(has)} {name} for {held:.0f} s, needed are {_mib(enough)}"
            yield Intervened(alarm, Step.STOP, "", words, {**evidence, "needed": enough, "held": held})


def _memory(state: CampaignState, inputs: AlarmInputs, elapsed: float) -> tuple[float, float]:
    """What a group more would need, by the peaks of the latest ones, where one more could start at all.

    Alone, a group gets whatever there is if it was enough for those before. What would go back and forth for ever, a
    machine with room for hardly more than what runs, is muted ever longer: then only the bare minimum is held against.
    """
    settings, peak = inputs.settings, max(state.alarm_signals.peaks, default=0)
    least = float(settings.memory_bytes)
    held = Alarm.MEMORY in state.intervention_log.holds
    if state.in_flight:
        need = settings.memory_factor * peak
        full = len(state.in_flight) >= state.workers
        if not held and (full or _muted(state, elapsed)):
            return least, MEMORY_EASE * least
        return max(least, need), MEMORY_EASE * max(least, need)
    if not held and _muted(state, elapsed):
        return least, MEMORY_EASE * least
    return max(least, float(peak)), max(MEMORY_EASE * least, float(peak))


def _muted(state: CampaignState, elapsed: float) -> bool:
    eased = state.intervention_log.eased.get(Alarm.MEMORY)
    times = min(MOST_DOUBLINGS, state.intervention_log.counts.get((Alarm.MEMORY, Step.HOLD), 0) - 1)
    return eased is not None and elapsed - eased < MUTED_SECONDS * 2 ** max(0, times)


def _mib(count: float) -> str:
    return f"{count / 2**20:,.0f} MiB"
