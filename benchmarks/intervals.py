"""Student's interval of a mean, for all benchmarks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from scipy.stats import t as student


def interval(scores: Sequence[float], level: float = 0.90) -> tuple[float, float]:
    """Its low and high end; both are the mean of a single score."""
    mean = statistics.fmean(scores)
    if len(scores) < 2:
        return mean, mean
    half = float(student.ppf(0.5 + level / 2, len(scores) - 1)) * statistics.stdev(scores) / math.sqrt(len(scores))
    return mean - half, mean + half


def mean_interval(scores: Sequence[float], level: float = 0.90) -> tuple[float, float, float]:
    """The mean and both ends."""
    return (statistics.fmean(scores), *interval(scores, level))
