"""What trials cost of late, and what was spent on a candidate's sweep: sums that stay when the trials are let go."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from dataclasses import dataclass, field

from novum.core.events.trials import TrialFinished
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan

RECENT = 64
"""Scored trials by which the price of the next ones is judged."""

SLOWER = 1.5
"""By how much at most a machine is believed to have become slower or faster."""
PRESENT = 9
"""Scored trials whose median is what a trial takes at the moment."""

RERUNS_OF_LOST = 2
"""How often a trial is run again after the infrastructure lost it; after that the loss is its outcome."""

Price = tuple[float, float]
"""CPU and wall seconds of a trial."""


def compute_of(event: TrialFinished, members: int, gpus: int) -> float:
    """Compute of a trial in a group of `members`: CPU seconds or, where that holds GPUs, its share of GPU seconds."""
    return event.wall_seconds * gpus / members if gpus else event.cpu_seconds


@dataclass
class TrialPrices:
    """The latest scored trials; failed ones say nothing of others."""

    latest: deque[Price] = field(default_factory=lambda: deque(maxlen=RECENT))
    alike: deque[float] = field(default_factory=lambda: deque(maxlen=PRESENT))
    """Compute of the latest ones that were as long as screening trials are: seconds of CPU or GPU."""
    largest: int = 0
    """Bytes of the largest artefact ever."""

    def add(self, event: TrialFinished, members: int, gpus: int, *, as_screening: bool) -> None:
        """Take a scored trial of a group of `members` that held `gpus` into account.

        as_screening: it was as long as screening trials are.
        """
        self.largest = max(self.largest, event.stored_bytes)
        self.latest.append((event.cpu_seconds, event.wall_seconds / members))
        if as_screening:
            self.alike.append(compute_of(event, members, gpus))

    @property
    def dearest(self) -> Price:
        """The largest of each."""
        cpu, wall = zip(*self.latest, strict=True) if self.latest else ((0.0,), (0.0,))
        return max(cpu), max(wall)

    def at_present(self, known: float) -> float:
        """Compute of a trial lately: a machine that is shared may take a third longer for the same program.

        known: what the incumbent's took at their time, beyond which by a factor of `SLOWER` it is the candidates.
        """
        lately = statistics.median(self.alike) if self.alike else known
        return min(max(lately, known / SLOWER), known * SLOWER) if known > 0 else lately

    @property
    def usual(self) -> Price:
        """The mean of each, with a worker to itself."""
        count = max(1, len(self.latest))
        return sum(cpu for cpu, _ in self.latest) / count, sum(wall for _, wall in self.latest) / count


@dataclass
class SweepCost:
    """What a candidate's sweep has taken: trials, those that diverged, CPU seconds, and the first failure in words.

    compute: seconds of CPU, or of GPU where trials hold GPUs.
    """

    trials: int = 0
    cpu_seconds: float = 0.0
    compute: float = 0.0
    failure: str = ""
    diverged: int = 0
    stopped: int = 0
    """This and `diverged`: how many of them diverged, and how many were ended early."""
    relative: float = 0.0
    """Compute over what the trials of the time took, summed: what the machine did meanwhile is left out."""

    @property
    def each(self) -> float:
        """Compute of a trial, 0 before the first."""
        return self.compute / self.trials if self.trials else 0.0

    def add(self, event: TrialFinished, compute: float, at_present: float) -> None:
        """One more trial and its compute, beside what trials take at present."""
        self.trials += 1
        self.cpu_seconds += event.cpu_seconds
        self.compute += compute
        self.relative += compute / at_present if at_present > 0 else 1.0
        self.diverged += event.kind is OutcomeKind.DIVERGED
        self.stopped += event.kind is OutcomeKind.STOPPED
        if event.kind is not OutcomeKind.SCORED and not self.failure:
            self.failure = f"{event.kind}: {event.cause}"


@dataclass
class LostTrials:
    """How often each trial was lost."""

    counts: Counter[tuple[str, str, str, str, int, int]] = field(default_factory=Counter)

    def again(self, event: TrialFinished, plan: Plan) -> bool:
        """Count one more loss; whether the trial is to be run again."""
        key = _name(plan, event.member)
        self.counts[key] += 1
        return self.counts[key] <= RERUNS_OF_LOST

    def of(self, plan: Plan) -> int:
        """How often the trials of a plan were lost before."""
        return sum(self.counts[_name(plan, number)] for number in range(len(plan.members))) if self.counts else 0


def _name(plan: Plan, number: int) -> tuple[str, str, str, str, int, int]:
    member = plan.members[number]
    return plan.purpose, plan.subject, plan.side, str(member.setting), plan.attempt, member.index
