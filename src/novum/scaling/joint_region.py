"""Which pairs of E and alpha the runs allow together: the two trade off, and an interval of either hides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from novum.core.model.errors import StudyError
from novum.scaling.fit import Fit
from novum.scaling.solvers.precision import FAR, Precision, precision
from novum.scaling.solvers.quantiles import student_quantile
from novum.scaling.solvers.variable_projection import HIGH, LOW, Rows, solve

Floats = npt.NDArray[np.float64]

_HOLD = 1e3
"""The sd of a number over the sd at which it is held."""
_MARGIN = 1.2
"""The grid over the region as it would be if costs were quadratic."""


@dataclass(frozen=True)
class JointRegion:
    """A grid over E (rows) and alpha (columns); all else is at its best in each point.

    excess (E, alpha): the sum of squares less the least, over what the level allows: at most 1 inside.
    """

    E: Floats
    alpha: Floats
    excess: Floats
    level: float

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which points the runs allow."""
        return self.excess <= 1


def joint_region(fit: Fit[Any], points: int = 25) -> JointRegion:
    """The region of E and alpha at the level of the fit, on a grid of points x points.

    Raises StudyError below 3 points, and without noise, when the region is a single point.
    """
    if points < 3:
        raise StudyError(f"points = {points}: give at least 3")
    known = _known(fit)
    wider = _MARGIN * np.sqrt(_allowed(fit, known)) / _half_widths(fit, known)
    floor, exponent, law = fit.intervals["E"], fit.intervals["alpha"], fit.law
    lowest = max(0.0, law.E - wider[0] * (law.E - floor.low))
    floors = np.linspace(lowest, law.E + wider[0] * (floor.high - law.E), points)
    shrink = max(exponent.low, LOW) / law.alpha, min(exponent.high, HIGH) / law.alpha
    alphas = np.clip(law.alpha * np.geomspace(shrink[0] ** wider[1], shrink[1] ** wider[1], points), LOW, HIGH)
    excess = held_excess(fit, np.repeat(floors, points), np.tile(alphas, points))
    return JointRegion(floors, alphas, excess.reshape(points, points), fit.level)


def held_excess(fit: Fit[Any], floors: Floats, alphas: Floats) -> Floats:
    """The excess (K,) of laws held to pairs of E (K,) and alpha (K,), all else at its best; see `JointRegion`.

    The level allows what an F test of two numbers does, the residual variance multiplied by the mean ratio of robust to
    plain variance in the two (Rotnitzky and Jewell, Biometrika 77, 1990).
    """
    known = _known(fit)
    start = np.repeat(fit.solution.exponents, len(floors), axis=0)
    start[:, 0] = alphas
    held = solve(_held(fit.rows, floors, alphas, _HOLD / known.unit[0]), start)
    cost = np.maximum(held.squares - fit.solution.squares[0], 0.0)
    return np.asarray(cost / _allowed(fit, known))


def _held(rows: Rows, floors: Floats, alphas: Floats, hold: Floats) -> Rows:
    """The problem once for each pair: E held by a row at which all powers have vanished, alpha by the pull."""
    count, powers = len(floors), rows.powers
    pull = np.zeros((count, powers + 2))
    pull[:, 0], pull[:, -1] = hold[1], hold[1] * np.log(alphas)
    response = np.broadcast_to(rows.response, (count, rows.response.shape[1]))
    return Rows(
        np.concatenate([rows.logs, np.full((1, 1, powers), FAR)], axis=1),
        np.concatenate([rows.constant, np.ones((1, 1))], axis=1),
        np.concatenate([response, floors[:, None]], axis=1),
        np.concatenate([rows.weight, hold[None, :1]], axis=1),
        pull,
    )


def _known(fit: Fit[Any]) -> Precision:
    """The precision of E and of the logarithm of alpha."""
    named = fit.places.named()
    known = precision(fit.rows, fit.solution, [named["E"], named["alpha"]])
    if not known.error.min() > 0:
        raise StudyError("the runs have no noise, so that the region is a single point")
    return known


def _allowed(fit: Fit[Any], known: Precision) -> float:
    """What the sum of squares may exceed the least one by."""
    robust = known.influence[0] @ known.influence[0].T
    plain = known.pulls[0] @ known.pulls[0].T
    variance = float(np.trace(robust @ np.linalg.inv(plain)) / 2)
    return 2 * _f_quantile(fit.level, fit.dof) * variance


def _half_widths(fit: Fit[Any], known: Precision) -> Floats:
    """The root of what the interval of each of the two allows the sum of squares."""
    quantile = student_quantile((1 + fit.level) / 2, known.dof[0])
    return np.asarray(quantile * known.error[0] / known.unit[0])


def _f_quantile(level: float, dof: int) -> float:
    """Of F with 2 and dof degrees of freedom, whose tail is (1 + 2 f / dof)^(-dof / 2)."""
    return dof / 2 * float((1 - level) ** (-2 / dof) - 1)
