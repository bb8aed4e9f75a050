"""Least-squares fits of laws to runs, with intervals.

docs/decisions/0039-intervals-of-scaling-laws.md says which intervals were tried and what they cover.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from novum.core.model.errors import StudyError
from novum.scaling.interval import Interval
from novum.scaling.law import PowerLaw, ScalingLaw
from novum.scaling.parameter_intervals import EDGE, parameter_intervals
from novum.scaling.places import Noise, Places
from novum.scaling.solvers.precision import precision
from novum.scaling.solvers.quantiles import f_above
from novum.scaling.solvers.variable_projection import HIGH, LOW, Rows, Solution
from novum.scaling.training_runs import Cell, Reading, TrainingRun, cells_of

Floats = npt.NDArray[np.float64]
Law = TypeVar("Law", ScalingLaw, PowerLaw)

LEVEL = 0.9
_DOUBT = 0.01
"""Chance level below which a lack of fit is remarked on."""


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """Whether cells miss the law by more than their runs differ among themselves.

    ratio: F, the mean square of cells about the law over that of runs about their cells; chance: of such an F or a
    larger one if the law holds.
    """

    ratio: float
    chance: float


@dataclass(frozen=True, slots=True)
class RunNoise:
    """Standard deviations in units of a fit's `scale`: of runs in their cell, and of what all runs of a cell share."""

    run: float
    cell: float

    def of_mean(self, repeats: int) -> float:
        """The sd of the mean of so many runs in one new cell."""
        return math.sqrt(self.cell**2 + self.run**2 / repeats)


@dataclass(frozen=True)
class Fit(Generic[Law]):
    """A law, what it was fitted to, and how well it is known.

    cells: the places with their values. fitted, residuals: of the cells' means, in units of the loss. leverage: of each
    cell, from 0 to 1. scale: what the sd of a run is in proportion to, at each cell; run_noise: the sd in these units,
    so for relative noise as a share of the loss. dof: cells less parameters. intervals: of E, A, B, alpha, beta, a and
    gamma, or of E, A and alpha. remarks: what to know before believing it.
    """

    law: Law
    noise: Noise
    level: float
    cells: tuple[Cell, ...]
    fitted: tuple[float, ...]
    residuals: tuple[float, ...]
    leverage: tuple[float, ...]
    scale: tuple[float, ...]
    run_noise: RunNoise
    dof: int
    intervals: Mapping[str, Interval]
    lack_of_fit: LackOfFit | None
    remarks: tuple[str, ...]
    places: Places = field(repr=False, compare=False)
    rows: Rows = field(repr=False, compare=False)
    solution: Solution = field(repr=False, compare=False)


def fit(runs: Sequence[TrainingRun], *, noise: Noise = Noise.RELATIVE, level: float = LEVEL) -> Fit[ScalingLaw]:
    """The law loss(N, D) = E + A / N^alpha + B / D^beta of training runs.

    noise: how the sd of a run depends on its place, where the runs do not give it. level: of the intervals. Raises
    StudyError where the runs cannot determine a law, or where the loss does not fall.
    """
    return _fit(cells_of(runs), ("parameters", "tokens"), noise, level, scaling_law)


def fit_power(readings: Sequence[Reading], *, noise: Noise = Noise.EQUAL, level: float = LEVEL) -> Fit[PowerLaw]:
    """The law value(x) = E + A / x^alpha of readings; arguments and errors as in :func:`fit`."""
    return _fit(cells_of(readings), ("x",), noise, level, power_law)


def scaling_law(places: Places, solution: Solution, at: int = 0) -> ScalingLaw:
    """The law of one problem of a solution, in the coordinates of its runs."""
    theta, values = solution.exponents[at], solution.coefficients[at]
    amounts = values[1:] * np.exp(theta * places.origin)
    return ScalingLaw(float(values[0]), float(amounts[0]), float(amounts[1]), float(theta[0]), float(theta[1]))


def power_law(places: Places, solution: Solution, at: int = 0) -> PowerLaw:
    """The same with one power."""
    theta, values = float(solution.exponents[at, 0]), solution.coefficients[at]
    return PowerLaw(float(values[0]), float(values[1] * math.exp(theta * places.origin[0])), theta)


def _fit(
    cells: tuple[Cell, ...],
    coordinates: tuple[str, ...],
    noise: Noise,
    level: float,
    law_of: Callable[[Places, Solution], Law],
) -> Fit[Law]:
    _check(cells, coordinates, level)
    places = Places.of(cells)
    means = np.array([one.mean for one in cells])
    rows, best = places.solved(means[None], noise)
    for name, amount in zip(coordinates, best.coefficients[0, 1:], strict=True):
        if not amount > 0:
            raise StudyError(f"the values do not fall with {name}: the best law has no such term; check the runs")
    found = parameter_intervals(places, rows, best, level)
    intervals = {name: Interval(float(low[0]), float(high[0]), level) for name, (low, high) in found.items()}
    residuals = best.residuals[0] / rows.weight[0]
    dof = len(cells) - 1 - 2 * len(coordinates)
    scale = np.sqrt(places.repeats) / rows.weight[0]
    scatter, lack = run_noise(cells, scale, float(best.squares[0]), dof)
    return Fit(
        law_of(places, best),
        noise,
        level,
        cells,
        tuple((means - residuals).tolist()),
        tuple(residuals.tolist()),
        tuple(precision(rows, best, []).leverage[0].tolist()),
        tuple(scale.tolist()),
        scatter,
        dof,
        intervals,
        lack,
        tuple(_remarks(intervals, coordinates, best, lack)),
        places,
        rows,
        best,
    )


def run_noise(cells: Sequence[Cell], scale: Floats, squares: float, dof: int) -> tuple[RunNoise, LackOfFit | None]:
    """What runs scatter by, in units of `scale` (n,), and the lack of fit, which only repeats can show.

    squares: weighted, of the cells' means about the law, with dof degrees of freedom. Without repeats all noise is
    taken to be the cell's, so that no number of runs averages it out.
    """
    between = squares / dof
    within_dof = sum(one.repeats - 1 for one in cells)
    parts = zip(cells, scale.tolist(), strict=True)
    inner = math.fsum(((value - cell.mean) / unit) ** 2 for cell, unit in parts for value in cell.values)
    if not inner > 0:
        return RunNoise(0.0, math.sqrt(between)), None
    within = inner / within_dof
    lack = LackOfFit(between / within, f_above(between / within, dof, within_dof))
    if between <= within:
        return RunNoise(math.sqrt((squares + inner) / (dof + within_dof)), 0.0), lack
    repeats = 1 + within_dof / len(cells)
    return RunNoise(math.sqrt(within), math.sqrt((between - within) / repeats)), lack


def _check(cells: tuple[Cell, ...], coordinates: tuple[str, ...], level: float) -> None:
    if not 0.5 <= level < 1:
        raise StudyError(f"level = {level}: give a number from 0.5 to below 1, such as 0.9")
    needed = 2 + 2 * len(coordinates)
    if len(cells) < needed:
        raise StudyError(f"{len(cells)} different places do not determine a law and its noise: give at least {needed}")
    for at, name in enumerate(coordinates):
        values = {one.place[at] for one in cells}
        if len(values) < 3:
            raise StudyError(f"{name}: {len(values)} different values cannot tell E from a power; give at least 3")


def _remarks(
    intervals: Mapping[str, Interval], coordinates: Sequence[str], best: Solution, lack: LackOfFit | None
) -> list[str]:
    found = []
    for name, value in zip(("alpha", "beta"), best.exponents[0], strict=False):
        if not LOW * EDGE < value < HIGH / EDGE:
            found.append(f"{name} = {value:.3g} is at the edge of what is searched, {LOW:g} to {HIGH:g}: no power law")
        elif not math.isfinite(intervals[name].high) or intervals[name].low == 0:
            found.append(f"{name} is not bounded by these runs: widen the range of {' and '.join(coordinates)}")
    if intervals["E"].low == 0:
        found.append("E may be zero: the runs do not show a floor, and exponents and E trade off")
    if lack is not None and lack.chance < _DOUBT:
        found.append(
            f"cells miss the law by more than their runs differ (F = {lack.ratio:.1f}, p = {lack.chance:.1g}): "
            "the law is not their shape, or something differs between cells, such as how well they were tuned"
        )
    return found
