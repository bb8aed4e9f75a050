"""Predicted probabilities against what came of them: Brier scores and bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

BINS = 10


@dataclass(frozen=True, slots=True)
class Prediction:
    """A probability that was given beforehand, and whether it came true."""

    probability: float
    came_true: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions between two probabilities: how many, their mean, the share that came true (a 90 % interval)."""

    low: float
    high: float
    count: int
    predicted: float
    came_true: float
    interval: tuple[float, float]


def brier(predictions: Sequence[Prediction]) -> float | None:
    """Mean squared error of the probabilities (Brier 1950): 0 is perfect; None without predictions."""
    return fmean((one.probability - one.came_true) ** 2 for one in predictions) if predictions else None


def reference(predictions: Sequence[Prediction], rate: float) -> float | None:
    """The Brier score of somebody who only knows how often predictions come true."""
    return brier([Prediction(rate, one.came_true) for one in predictions])


def bins(predictions: Sequence[Prediction]) -> tuple[Bin, ...]:
    """The predictions in ten equal steps of probability; steps without any are left out."""
    sorted_in: dict[int, list[Prediction]] = {}
    for one in predictions:
        sorted_in.setdefault(min(BINS - 1, int(one.probability * BINS)), []).append(one)
    return tuple(_bin(step, sorted_in[step]) for step in sorted(sorted_in))


def _bin(step: int, inside: list[Prediction]) -> Bin:
    count, true = len(inside), sum(one.came_true for one in inside)
    mean = fmean(one.probability for one in inside)
    return Bin(step / BINS, (step + 1) / BINS, count, mean, true / count, wilson(true, count))


def wilson(true: int, count: int, z: float = 1.645) -> tuple[float, float]:
    """An interval for a share (Wilson 1927)."""
    share = true / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
