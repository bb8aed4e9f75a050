"""Every trial of a campaign with its plan, and what trials have cost: by purpose, by subject, by candidate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from novum.core.events.event import Record
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import TrialFinished
from novum.core.model.trial_plan import Plan, Purpose, Side
from novum.core.state.full_state import FullState
from novum.core.state.hypothesis import Hypothesis

FRESH = (Purpose.CALIBRATE, Purpose.CONFIRM, Purpose.ESTIMATE)


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One outcome: its number and time (microseconds) in the record, what it was for, and in which session it ran."""

    seq: int
    time: int
    outcome: TrialFinished
    plan: Plan
    session: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What the trials of one purpose cost: a count, and CPU seconds."""

    purpose: str
    trials: int
    cpu: float


@dataclass
class Usage:
    """What the scored runs of one candidate at full length, under the study's own options, have taken."""

    runs: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass
class FreshRuns:
    """Scored fresh runs of one candidate: `free` ones, and those whose number was chosen by their own success."""

    free: list[float] = field(default_factory=list)
    selected: list[float] = field(default_factory=list)


class TrialLog:
    """rows: all outcomes, in order. times: when each hypothesis was registered, microseconds since the epoch.

    usage, runs: by candidate.
    """

    def __init__(self, state: FullState) -> None:
        self._state = state
        self.rows: list[TrialRow] = []
        self.times: dict[str, int] = {}
        self.usage: dict[str, Usage] = {}
        self.runs: dict[str, FreshRuns] = {}
        self._touched: dict[str, int] = {}
        self._spent: dict[tuple[Purpose, str], tuple[int, float]] = {}

    def take(self, record: Record) -> None:
        """One more record, which the state has folded."""
        event = record.event
        if isinstance(event, TrialFinished):
            self._finished(record, event)
        elif isinstance(event, HypothesisRegistered):
            self.times[event.id] = self._touched[event.id] = record.time
        elif subject := getattr(event, "hypothesis", None):
            self._touched[subject] = record.time

    def _finished(self, record: Record, event: TrialFinished) -> None:
        plan = self._state.plan(event.group)
        self.rows.append(TrialRow(record.seq, record.time, event, plan, self._state.session))
        trials, seconds = self._spent.get((plan.purpose, plan.subject), (0, 0.0))
        self._spent[plan.purpose, plan.subject] = trials + 1, seconds + event.cpu_seconds
        self._touched[plan.subject] = record.time
        if event.score is not None:
            self._scored(plan, event, event.score)

    def _scored(self, plan: Plan, event: TrialFinished, score: float) -> None:
        if plan.fidelity == 1.0 and not plan.options:
            used = self.usage.setdefault(plan.candidate.id, Usage())
            used.runs += 1
            used.cpu_seconds += event.cpu_seconds
            used.peak_bytes = max(used.peak_bytes, event.peak_bytes)
        if plan.purpose in FRESH:
            runs = self.runs.setdefault(plan.candidate.id, FreshRuns())
            own = plan.purpose is Purpose.CONFIRM and plan.side is Side.CANDIDATE
            (runs.selected if own else runs.free).append(score)

    def cost_of(self, subject: str, *purposes: Purpose) -> tuple[int, float]:
        """Trials and CPU seconds that were spent in the name of a hypothesis or a candidate."""
        spent = [self._spent.get((purpose, subject), (0, 0.0)) for purpose in purposes]
        return sum(trials for trials, _ in spent), sum(seconds for _, seconds in spent)

    def last_of(self, subject: str) -> int:
        """When something last happened to a hypothesis or a candidate, 0 for never."""
        return self._touched.get(subject, 0)

    def by_purpose(self) -> Iterator[Spending]:
        """What was spent on each purpose."""
        for purpose in Purpose:
            spent = [cost for (why, _), cost in self._spent.items() if why is purpose]
            yield Spending(str(purpose), sum(trials for trials, _ in spent), sum(seconds for _, seconds in spent))

    def last_heard(self, hypothesis: Hypothesis) -> int:
        """When something last happened to a hypothesis, in its own name or, before any attempt, its candidate's."""
        mine = self._touched[hypothesis.id]
        return max(mine, self._touched.get(hypothesis.candidate.id, 0)) if hypothesis.attempt == 0 else mine
