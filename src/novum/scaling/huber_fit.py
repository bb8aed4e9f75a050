"""Fits by the Huber objective, polished from least squares, with bootstrap intervals over cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from novum.scaling.bootstrap import COUNT, Draws, percentiles
from novum.scaling.fit import LEVEL, Fit, fit, scaling_law
from novum.scaling.interval import Interval
from novum.scaling.law import ScalingLaw
from novum.scaling.solvers import huber
from novum.scaling.solvers.variable_projection import Rows, Solution
from novum.scaling.training_runs import TrainingRun


@dataclass(frozen=True)
class HuberFit:
    """The law, the sum that it minimises, percentile intervals, and the least-squares fit that it started from."""

    law: ScalingLaw
    total: float
    intervals: Mapping[str, Interval]
    start: Fit[ScalingLaw]


def fit_huber(
    runs: Sequence[TrainingRun],
    *,
    delta: float = huber.DELTA,
    level: float = LEVEL,
    resamples: int = COUNT,
    seed: int = 0,
) -> HuberFit:
    """The law that minimises Huber's loss of log residuals over all runs; arguments and errors as in `fit.fit`.

    delta: where the loss turns from squares to absolute values. Whole cells are resampled.
    """
    start = fit(runs, level=level)
    places, counts = start.places, [one.repeats for one in start.cells]
    logs = np.repeat(places.logs, counts, axis=0)[None]
    values = np.array([value for cell in start.cells for value in cell.values])[None]
    ones = np.ones_like(values)
    found = huber.polish(Rows(logs, ones, values, ones), start.solution, delta)
    draws = Draws.of(len(counts), resamples, seed)
    again = huber.polish(
        Rows(logs, ones, values, np.repeat(draws.counts, counts, axis=1)), _copies(found, resamples), delta
    )
    total = huber.total(Rows(logs, ones, values, ones), found, delta)
    return HuberFit(scaling_law(places, found), float(total[0]), percentiles(places, again, level), start)


def _copies(solution: Solution, count: int) -> Solution:
    return solution.take(np.zeros(count, dtype=np.intp))
