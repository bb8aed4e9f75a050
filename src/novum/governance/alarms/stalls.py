"""Trial groups that do not come back: their trials are declared lost and run again, a few times over.

What serves as evidence is given up only beyond the study's own limits, which its workers should have kept: anything
earlier would decide by the clock which outcomes count. Screening is no evidence and need not wait as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from novum.core.events.event import Event
from novum.core.events.oversight import Intervened
from novum.core.events.trials import TrialFinished
from novum.core.model.intervention import Alarm, Step
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.state.alarm_signals import STALLED
from novum.core.state.campaign_state import CampaignState
from novum.core.state.interventions import SECOND
from novum.governance.alarms.alarm_inputs import AlarmInputs


@dataclass
class Stalls:
    """Looks at what is in flight. A group must be overdue at two looks in a row.

    A lab that was stopped itself finds everything overdue when it goes on, and hears what has ended after its first
    look.
    """

    inputs: AlarmInputs
    _overdue: set[str] = field(default_factory=set)

    def look(self, state: CampaignState, elapsed: float) -> Iterator[Event]:
        """Give up what is overdue for the second time; end the session when that happens again and again."""
        flights, before = state.alarm_signals.flights, self._overdue
        self._overdue = {name for name in flights.sent if elapsed - flights.sent[name] > self._allowed(state, name)}
        lost = [name for name in flights.sent if name in self._overdue & before]
        for name in lost:
            yield from self._given_up(state, name, elapsed)
        row = flights.stalls + any(flights.sent[name] >= flights.stalled_at for name in lost)
        if lost and row >= self.inputs.settings.stalls and not state.intervention_log.stopped:
            words = f"{row} trial groups in a row were given up, and nothing came in between: workers do not answer"
            evidence = {"groups": float(row), SECOND: elapsed}
            yield Intervened(Alarm.STALL, Step.STOP, "", f"stopped by the watchdog: {words}", evidence)

    def _allowed(self, state: CampaignState, group: str) -> float:
        """Seconds after which a group is overdue, those in which workers may still be starting included."""
        settings, plan = self.inputs.settings, state.plan(group)
        start = state.alarm_signals.flights.start
        longer = settings.start_seconds if start is None else start
        allowed = state.study.limits.seconds + settings.grace_seconds
        _, wall = state.prices.dearest if plan.purpose is Purpose.SCREEN else (0.0, 0.0)
        if wall > 0:
            allowed = min(allowed, max(settings.slow_seconds, settings.slow_factor * wall * len(plan.members)))
        return allowed + longer

    def _given_up(self, state: CampaignState, group: str, elapsed: float) -> Iterator[Event]:
        plan, waited, allowed = (
            state.plan(group),
            elapsed - state.alarm_signals.flights.sent[group],
            self._allowed(state, group),
        )
        missing = [number for number in range(len(plan.members)) if number not in state.arrived(group)]
        words = f"{group} was given up after {waited:.0f} s, it should have taken {allowed:.0f} s at most: "
        words += f"its {len(missing)} trials are lost, and run again"
        evidence = {"waited": waited, "allowed": allowed, "trials": float(len(missing)), SECOND: elapsed}
        yield Intervened(Alarm.STALL, Step.GIVE_UP, group, words, evidence)
        for number in missing:
            yield _lost(plan, number, waited, elapsed)


def _lost(plan: Plan, number: int, waited: float, elapsed: float) -> TrialFinished:
    return TrialFinished(
        trial=f"{plan.id}.{number}",
        group=plan.id,
        member=number,
        kind=OutcomeKind.LOST,
        score=None,
        cause=f"{STALLED}nothing was heard of it for {waited:.0f} s",
        artefact=None,
        cpu_seconds=0.0,
        wall_seconds=waited,
        peak_bytes=0,
        elapsed=elapsed,
    )
