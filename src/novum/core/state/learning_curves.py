"""Learning curves of screened candidates: how well early readings rank them, and which runs to end early.

Asynchronous successive halving (Li et al., MLSys 2020) on compute: at a look, a run goes on if its next reading is
among the best one in so many of all that came so far. Two things are added, since early readings may say nothing of
final scores. A look is used only while the rank correlation of its readings with final scores is high, and one run in
five is never ended, so that the correlation is measured on runs that no look has chosen.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from novum.core.model.run_progress import Curve, Look, reading_from

SHARES = (0.25, 0.5)
"""When a run is looked at: at the reading that follows on this share of the incumbent's readings."""
EARLIER = 0.9
"""A run that is a tenth faster than the incumbent is judged by the same reading."""
LATEST_LOOK = 0.8
"""Of the usual compute: later, too little is left to save."""
CORRELATED = 0.7
"""The rank correlation from which on a look is used."""
ENOUGH = 8
"""Runs to their end, which no look could end, on which it rests."""
UNTOUCHED_ONE_IN = 5
SHORTEST = 1.0
"""Seconds: shorter runs are not worth ending."""
LATEST = 64
"""Runs that are remembered."""


@dataclass(frozen=True, slots=True)
class ScreenedRun:
    """A candidate's first screening run: its curve, and the compute that it took.

    score: how good it was, higher is better; None: it was ended early. free: no look could have ended it.
    """

    curve: Curve
    seconds: float
    score: float | None
    free: bool


@dataclass
class LearningCurves:
    """What the latest screening runs showed of progress."""

    runs: dict[str, ScreenedRun] = field(default_factory=dict)
    """By candidate."""
    ended: int = 0
    """How many runs were ended early, and the compute that they would have taken beyond, judged by the incumbent's.
    """
    saved_seconds: float = 0.0

    def add(self, candidate: str, run: ScreenedRun, usual: float) -> None:
        """One more run. usual: seconds of compute of the incumbent's runs."""
        if run.score is None:
            self.ended += 1
            self.saved_seconds += max(0.0, usual - run.seconds)
        self.runs[candidate] = run
        if len(self.runs) > LATEST:
            del self.runs[next(iter(self.runs))]

    def looks(self, usual: float, factor: int) -> tuple[Look, ...]:
        """Looks for the next run: the best one in `factor` goes on at each."""
        if factor < 2 or usual < SHORTEST:
            return ()
        found = []
        for seconds in self.times(usual):
            correlation = self.correlation(seconds)
            if correlation is None or abs(correlation) < CORRELATED:
                continue
            above = correlation < 0
            known = (reading_from(one.curve, seconds) for one in self.runs.values())
            best_first = sorted((one for one in known if one is not None), reverse=not above)
            found.append(Look(seconds, best_first[(len(best_first) - 1) // factor], above))
        return tuple(found)

    def times(self, usual: float) -> list[float]:
        """When the next run is looked at, in seconds of compute: by the latest run that nothing could end."""
        curve = next((one.curve for one in reversed(self.runs.values()) if one.free and one.score is not None), ())
        places = [math.ceil(share * len(curve)) - 1 for share in SHARES] if curve else []
        found = [EARLIER * curve[place][0] for place in places]
        return sorted({time for time in found if time <= LATEST_LOOK * usual})

    def correlation(self, seconds: float) -> float | None:
        """Spearman's rank correlation of readings from a time on with final scores; None while few runs are known."""
        known = [
            (reading, one.score)
            for one in self.runs.values()
            if one.free and one.score is not None and (reading := reading_from(one.curve, seconds)) is not None
        ]
        return None if len(known) < ENOUGH else rank_correlation(known)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's, with mean ranks for ties; 0 where one side is constant."""
    first, second = (_ranks(side) for side in zip(*pairs, strict=True))
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0
    return statistics.correlation(first, second)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda at: values[at])
    ranks, done = [0.0] * len(values), 0
    for _, group in groupby(order, key=lambda at: values[at]):
        alike = list(group)
        for at in alike:
            ranks[at] = done + (len(alike) - 1) / 2
        done += len(alike)
    return ranks
