"""The watchdog: what goes wrong, runs away or is too good to be true, noticed while the lab runs.

It looks at the state before every decision, and once a second at the clock and at the machine. What it does is an event
with its figures; what it has done is in the state, so that a lab that is resumed does not begin anew. It never touches
an outcome, a rule or a verdict (docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from novum.core.events.event import Event
from novum.core.model.intervention import Alarm
from novum.core.model.ports import Arena
from novum.core.model.study import Study
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.governance.alarms.alarm_inputs import AlarmInputs, alarm_inputs
from novum.governance.alarms.authors import dead_end, failure_rate
from novum.governance.alarms.candidates import divergence, failing_incumbent, runaway_cost
from novum.governance.alarms.plateau import plateau
from novum.governance.alarms.resources import low_resources
from novum.governance.alarms.stalls import Stalls
from novum.governance.alarms.suspicion import too_good
from novum.governance.machine_resources import Gauge, gauge

EVERY_SECONDS = 1.0
"""How often the clock and the machine are looked at."""

Rule = Callable[[CampaignState, AlarmInputs], Iterator[Event]]

RULES: tuple[tuple[Alarm, Rule], ...] = (
    (Alarm.DIVERGENCE, divergence),
    (Alarm.DIVERGENCE, failing_incumbent),
    (Alarm.RUNAWAY_COST, runaway_cost),
    (Alarm.PLATEAU, plateau),
    (Alarm.DEAD_END, dead_end),
    (Alarm.FAILURE_RATE, failure_rate),
)
"""Rules that follow from the state alone, in the order in which they speak."""


class RuleWatchdog:
    """The Watchdog port. `read`: what the machine has left."""

    def __init__(self, inputs: AlarmInputs, read: Gauge) -> None:
        self._inputs, self._read = inputs, read
        self._rules = [rule for alarm, rule in RULES if alarm not in inputs.settings.off]
        self._suspicious = Alarm.TOO_GOOD not in inputs.settings.off
        self._stalls = Stalls(inputs) if Alarm.STALL not in inputs.settings.off else None
        self._pulse, self._next = -1, 0.0
        self._screened = self._scales = 0

    def look(self, state: CampaignState, elapsed: float) -> Sequence[Event]:
        """What has to be done now: nothing, and at no cost, unless something happened or a second has passed."""
        if state.alarm_signals.pulse == self._pulse and elapsed < self._next:
            return ()
        found: list[Event] = []
        if state.alarm_signals.pulse != self._pulse:
            self._pulse = state.alarm_signals.pulse
            found += [event for rule in self._rules for event in rule(state, self._inputs)]
            if self._suspicious:
                found += too_good(state, self._inputs, self._new(state))
        if elapsed >= self._next:
            self._next = elapsed + EVERY_SECONDS
            found += self._stalls.look(state, elapsed) if self._stalls else ()
            found += low_resources(state, self._inputs, self._read(), elapsed)
        return found

    def _new(self, state: CampaignState) -> Sequence[Hypothesis]:
        """Hypotheses screened since the last look; all that wait, when the noise they are held to was measured."""
        before, self._screened = self._screened, len(state.screened)
        scales, self._scales = self._scales, len(state.scales)
        return state.screened[before:] if self._scales == scales else state.open_hypotheses(Phase.WAITING)


def watchdog(study: Study, arena: Arena, directory: Path) -> RuleWatchdog:
    """The watchdog of a lab in `directory`."""
    return RuleWatchdog(alarm_inputs(study, arena), gauge(directory))
