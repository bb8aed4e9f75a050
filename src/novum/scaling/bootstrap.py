"""Bootstrap laws: refits of resampled runs, and percentiles of what follows from them.

Three ways to resample: residuals of cell means over the root of one less their leverage (model-based; equal noise in
units of the weights); whole cells with their runs (case-based; any noise between cells); runs within their cells. The
last leaves the design as it is but loses a share 1 / repeats of the variance, half of it with two runs, and is here to
be measured against (benchmarks/scaling_coverage.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from novum.core.model.errors import StudyError
from novum.scaling.fit import Fit
from novum.scaling.interval import Interval
from novum.scaling.places import Places, unscaled
from novum.scaling.solvers.variable_projection import Rows, Solution, solve

Floats = npt.NDArray[np.float64]

COUNT = 1000


class Resampling(StrEnum):
    """What is drawn with replacement."""

    RESIDUALS = "residuals"
    CELLS = "cells"
    RUNS = "runs"


@dataclass(frozen=True)
class Draws:
    """Which of n cells each of R resamples takes, as counts (R, n) and as indices (R, n)."""

    counts: Floats
    picks: npt.NDArray[np.intp]

    @classmethod
    def of(cls, cells: int, count: int, seed: int) -> Draws:
        """Drawn with replacement. Fits of one design that share draws are resampled in pairs."""
        picks = np.random.default_rng(seed).integers(0, cells, (count, cells))
        counts = np.stack([np.bincount(one, minlength=cells) for one in picks])
        return cls(counts.astype(float), picks)


def refits(fit: Fit[Any], resampling: Resampling = Resampling.CELLS, count: int = COUNT, seed: int = 0) -> Solution:
    """The solutions of `count` resamples, in the coordinates of `fit.places`."""
    if count < 2:
        raise StudyError(f"{count} resamples: give at least 2, and some hundreds for percentiles")
    return solve(resampled(fit, resampling, count, seed), fit.solution.exponents)


def resampled(fit: Fit[Any], resampling: Resampling, count: int, seed: int) -> Rows:
    """The rows of `count` resamples."""
    rows = fit.rows
    if resampling is Resampling.RUNS:
        if all(cell.repeats == 1 for cell in fit.cells):
            raise StudyError("no cell has two runs, so that there is nothing to resample within cells")
        rng = np.random.default_rng(seed)
        means = [rng.choice(np.array(cell.values), (count, cell.repeats)).mean(axis=1) for cell in fit.cells]
        return Rows(rows.logs, rows.constant, np.stack(means, axis=1), rows.weight)
    draws = Draws.of(len(fit.cells), count, seed)
    if resampling is Resampling.CELLS:
        return Rows(rows.logs, rows.constant, rows.response, rows.weight * np.sqrt(draws.counts))
    corrected = fit.solution.residuals[0] / np.sqrt(1 - np.array(fit.leverage))
    drawn = (corrected - corrected.mean())[draws.picks]
    return Rows(rows.logs, rows.constant, np.array(fit.fitted) + drawn / rows.weight, rows.weight)


def percentiles(places: Places, found: Solution, level: float) -> Mapping[str, Interval]:
    """Percentile intervals of the parameters over the resamples of a solution."""
    shares = [(1 - level) / 2, (1 + level) / 2]
    out = {}
    for name, functional in places.named().items():
        low, high = unscaled(name, np.quantile(functional.value(found), shares)).tolist()
        out[name] = Interval(low, high, level)
    return out
