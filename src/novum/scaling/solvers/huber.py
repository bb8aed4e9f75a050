"""The objective of Hoffmann et al. (arXiv 2203.15556, section 3.3): Huber's loss of log residuals, summed.

    sum over runs of H(log(E + sum over j of c_j x_j^-theta_j) - log y),
    H(r) = r^2 / 2 up to |r| = delta, delta (|r| - delta / 2) beyond

It is not least squares in E and c, so nothing can be projected out. Each problem starts from its least-squares fit and
descends by reweighted Gauss-Newton steps in all 1 + 2 p parameters: r^2 / 2 with weight min(1, delta / |r|) has the
slope of H at the present residual and rises faster elsewhere. Stopping rests on the steps, never on the size of the
sum: the average over runs looks flat long before its minimum (Besiroglu et al., arXiv 2404.10102).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.scaling.solvers.variable_projection import HIGH, LOW, Rows, Solution, powers_at

Floats = npt.NDArray[np.float64]

DELTA = 1e-3
_STEPS = 1000
_SHRINK, _GROW = 0.3, 5.0


@dataclass(frozen=True)
class _Point:
    """Parameters (R, 1 + 2 p): E, c, log theta; log residuals (R, n), their Jacobian, and the sum (R,)."""

    parameters: Floats
    residuals: Floats
    jacobian: Floats
    total: Floats

    def take(self, chosen: npt.NDArray[np.intp]) -> _Point:
        return _Point(self.parameters[chosen], self.residuals[chosen], self.jacobian[chosen], self.total[chosen])

    def where(self, chosen: npt.NDArray[np.bool_], other: _Point) -> _Point:
        return _Point(
            np.where(chosen[:, None], self.parameters, other.parameters),
            np.where(chosen[:, None], self.residuals, other.residuals),
            np.where(chosen[:, None, None], self.jacobian, other.jacobian),
            np.where(chosen, self.total, other.total),
        )


def polish(rows: Rows, start: Solution, delta: float = DELTA) -> Solution:
    """The minima near `start`, with log residuals. The weight of a row is how often it counts; y must be above zero.

    Powers without a weight at the start have none at the end.
    """
    powers = rows.powers
    lowest = np.array([0.0] * (1 + powers) + [np.log(LOW)] * powers)
    highest = np.array([np.inf] * (1 + powers) + [np.log(HIGH)] * powers)
    parameters = np.concatenate([start.coefficients, np.log(start.exponents)], axis=1)
    now = _look(rows, parameters, delta)
    ended, active, damping = now, np.arange(len(parameters)), np.full(len(parameters), 1e-3)
    for _ in range(_STEPS):
        step = _step(rows, now, damping, delta, now.parameters <= lowest)
        new = _look(rows, np.clip(now.parameters + step, lowest, highest), delta)
        moved = np.abs(new.parameters - now.parameters) / np.maximum(np.abs(now.parameters), 1e-6)
        better = new.total < now.total
        over = (moved.max(axis=1) < 1e-9) | (damping > 1e12)
        now = new.where(better, now)
        damping = np.where(better, damping * _SHRINK, np.maximum(damping, 1e-9) * _GROW)
        if np.any(over):
            ended = _written(ended, active, now)
            keep = np.flatnonzero(~over)
            rows, now, active, damping = rows.take(keep), now.take(keep), active[keep], damping[keep]
            if not len(keep):
                break
    ended = _written(ended, active, now)
    first = ended.parameters[:, : 1 + powers]
    return Solution(np.exp(ended.parameters[:, 1 + powers :]), first, ended.residuals, np.zeros(len(first)))


def total(rows: Rows, solution: Solution, delta: float = DELTA) -> Floats:
    """The objective (R,) at a solution."""
    return _look(rows, np.concatenate([solution.coefficients, np.log(solution.exponents)], axis=1), delta).total


def _look(rows: Rows, parameters: Floats, delta: float) -> _Point:
    powers = rows.powers
    coefficients, theta = parameters[:, : 1 + powers], np.exp(parameters[:, 1 + powers :])
    parts = powers_at(rows.logs, theta)
    fitted = coefficients[:, :1] + (parts @ coefficients[:, 1:, None])[..., 0]
    moves = -rows.logs * parts * (theta * coefficients[:, 1:])[:, None, :]
    jacobian = np.concatenate([np.ones((*fitted.shape, 1)), parts, moves], axis=2) / fitted[..., None]
    residuals = np.log(fitted) - np.log(rows.response)
    size = np.abs(residuals)
    each = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    return _Point(parameters, residuals, jacobian, (rows.weight * each).sum(axis=1))


def _step(rows: Rows, now: _Point, damping: Floats, delta: float, held: npt.NDArray[np.bool_]) -> Floats:
    """The reweighted, damped Gauss-Newton step; parameters at their lower bound stay if it would lead below."""
    weight = rows.weight * np.minimum(1.0, delta / np.maximum(np.abs(now.residuals), 1e-300))
    weighted = now.jacobian * weight[..., None]
    gradient = (now.residuals[:, None, :] @ weighted)[:, 0]
    held = held & (gradient >= 0)
    normal = np.swapaxes(weighted, 1, 2) @ now.jacobian
    normal = np.where(held[:, :, None] | held[:, None, :], 0.0, normal)
    spread = np.einsum("rii->ri", normal)
    ridge = np.where(spread > 0, damping[:, None] * spread, 1.0)
    damped = normal + np.eye(normal.shape[1]) * ridge[:, None, :]
    return np.asarray(-np.linalg.solve(damped, np.where(held, 0.0, gradient)[..., None])[..., 0])


def _written(whole: _Point, at: npt.NDArray[np.intp], part: _Point) -> _Point:
    """`whole` with the problems `at` replaced by `part`."""
    out = whole.take(np.arange(len(whole.total)))
    out.parameters[at], out.residuals[at], out.jacobian[at], out.total[at] = (
        part.parameters,
        part.residuals,
        part.jacobian,
        part.total,
    )
    return out
