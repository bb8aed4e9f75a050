"""What the watchdog did, as rows of a table: when, why, about whom, in words, and with which figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from novum.core.events.event import Record
from novum.core.events.oversight import Intervened
from novum.core.model.intervention import Step
from novum.core.state.interventions import SECOND

DONE: Mapping[Step, str] = {
    Step.NOTE: "noted",
    Step.REST: "sent to rest",
    Step.EXPLORE: "the control helps",
    Step.QUARANTINE: "quarantined",
    Step.WITHDRAW: "withdrawn",
    Step.GIVE_UP: "given up",
    Step.HOLD: "nothing new starts",
    Step.RELEASE: "released",
    Step.STOP: "session stopped",
}


@dataclass(frozen=True, slots=True)
class Intervention:
    """One of them."""

    seq: int
    time: int
    """Microseconds since the epoch."""
    alarm: str
    step: str
    about: str
    words: str
    evidence: dict[str, float]
    until: int
    """The number of the proposal at which it ends, or 0."""

    @property
    def done(self) -> str:
        """What was done, in words."""
        return DONE[Step(self.step)]

    @property
    def figures(self) -> str:
        """The evidence in a line."""
        return ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in self.evidence.items())


def interventions(records: Iterable[Record]) -> list[Intervention]:
    """All of them, in their order."""
    return [row(one, one.event) for one in records if isinstance(one.event, Intervened)]


def row(record: Record, event: Intervened) -> Intervention:
    """The row of one record."""
    return Intervention(
        seq=record.seq,
        time=record.time,
        alarm=str(event.alarm),
        step=str(event.step),
        about=event.subject,
        words=event.words,
        evidence={name: value for name, value in event.evidence.items() if name != SECOND},
        until=event.until,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
