"""How far a candidate's own runs scatter, from its screening: runs that no verdict rests on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

PRIOR_RUNS = 4
"""Runs that the incumbent's noise counts for beside the few that a candidate is screened on."""

FAR_LARGER = 2.0
"""A spread so many times the incumbent's gets a loss side of its own."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Sum of squared deviations of a candidate's screening runs at its tuned setting, in metric units squared.

    degrees: of freedom, one less than the runs.
    """

    squares: float
    degrees: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of single scores (of their logarithms where they are compared by ratio)."""
        found = list(values)
        mean = statistics.fmean(found) if found else 0.0
        return cls(math.fsum((value - mean) ** 2 for value in found), max(0, len(found) - 1))


NONE = Spread(0.0, 0)


def paired_sigma(incumbent: float, candidate: Spread) -> float:
    """The sd of a difference that both sides allow: at least the incumbent's A/A sigma.

    var D = var X + var B; var B = sigma^2 / 2; var X from the candidate's runs, with var B as `PRIOR_RUNS` of them.
    """
    half = incumbent * incumbent / 2
    own = (PRIOR_RUNS * half + candidate.squares) / (PRIOR_RUNS + candidate.degrees)
    return max(incumbent, math.sqrt(own + half))
