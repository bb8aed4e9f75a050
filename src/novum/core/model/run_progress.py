"""Progress within a run: its readings by compute, and looks at which a run that is beyond hope is ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Curve = tuple[tuple[float, float], ...]
"""Readings of a run in their order: what it had computed by then, and the value it had printed.

Seconds of CPU; of wall times GPUs for a run that holds some.
"""

POINTS = 48
"""Readings of a run that are kept."""

RECENT = 2 / 3
"""A run is judged by its readings from this share of a time up to that time: single ones are noisy."""


@dataclass(frozen=True, slots=True)
class Look:
    """A time at which a run is judged by its progress, and the bound beyond which it is ended."""

    seconds: float
    """Of compute, as in a curve."""
    bound: float
    above: bool
    """Whether readings above the bound are the hopeless ones, or those below it."""

    def ends(self, curve: Sequence[tuple[float, float]]) -> float | None:
        """The reading that ends a run, None for one that goes on; what has printed nothing yet goes on."""
        found = reading_at(curve, self.seconds)
        hopeless = found is not None and (found > self.bound if self.above else found < self.bound)
        return found if hopeless else None


def reading_at(curve: Sequence[tuple[float, float]], seconds: float) -> float | None:
    """Where a run stood at a time: the mean of its readings shortly before, else the last one; None before the first.

    One that is not finite counts whatever the others are.
    """
    before = [(at, value) for at, value in curve if at <= seconds]
    if not before:
        return None
    recent = [value for at, value in before if at >= RECENT * seconds] or [before[-1][1]]
    return sum(recent) / len(recent)


def thinned(curve: Sequence[tuple[float, float]]) -> Curve:
    """At most `POINTS` readings, evenly spaced among all, the first and the last one included."""
    if len(curve) <= POINTS:
        return tuple(curve)
    return tuple(curve[round(number * (len(curve) - 1) / (POINTS - 1))] for number in range(POINTS))
