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
"""A reading is smoothed with those from this share of its time on: single ones are noisy."""


@dataclass(frozen=True, slots=True)
class Look:
    """A time from which on a run is judged by its next reading, and the bound beyond which it is ended."""

    seconds: float
    """Of compute, as in a curve."""
    bound: float
    above: bool
    """Whether readings above the bound are the hopeless ones, or those below it."""

    def is_due(self, curve: Sequence[tuple[float, float]]) -> bool:
        """Whether there is a reading to judge by."""
        return bool(curve) and curve[-1][0] >= self.seconds

    def ends(self, curve: Sequence[tuple[float, float]]) -> float | None:
        """The reading that ends a run, None for one that goes on."""
        found = reading_from(curve, self.seconds)
        hopeless = found is not None and (found > self.bound if self.above else found < self.bound)
        return found if hopeless else None


def reading_from(curve: Sequence[tuple[float, float]], seconds: float) -> float | None:
    """The first reading at or after a time, as the mean of the latest ones by then; None where there is none."""
    at = next((at for at, _ in curve if at >= seconds), None)
    if at is None:
        return None
    recent = [value for time, value in curve if RECENT * at <= time <= at]
    return sum(recent) / len(recent)
