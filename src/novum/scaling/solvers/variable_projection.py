"""Sums of powers fitted by variable projection: a search over the exponents, everything linear solved exactly.

y = E + sum over j of c_j x_j^-theta_j with E, c_j >= 0. For given exponents E and c follow from non-negative least
squares in closed form, so only the exponents are searched (Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973; for
scaling laws arXiv 2603.22339): a grid over their whole range, then Levenberg-Marquardt steps with Kaufman's Jacobian
of the projected residuals. A batch of R problems of n rows with p = 1 or 2 powers is solved at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.scaling.solvers.nonnegative import nonnegative

Floats = npt.NDArray[np.float64]

LOW, HIGH = 0.02, 4.0
"""The range of exponents that is searched."""

_LEAST, _MOST = float(np.log(LOW)), float(np.log(HIGH))

GRID = np.exp(np.linspace(np.log(LOW), np.log(HIGH), 41))
"""Neighbours differ by 14 %."""

_CHUNK = 100
"""Problems whose grids are searched together: their arrays fit into a cache."""

_STEPS = 200
_SHRINK, _GROW = 0.2, 8.0
_STIFF = 1e12
_RIDGE = 1e-13


@dataclass(frozen=True)
class Rows:
    """R problems of n rows. A part that all problems share may have 1 in place of R.

    logs (R, n, p): logarithms of x, from any origin. constant (R, n): 1 where a row has E, 0 where it has not.
    response (R, n): y. weight (R, n): 1 / sd. pull (R, p + 2), or None: one more residual, of the exponents alone:
    sum over j of pull_j log theta_j + pull_p log(sum over j of 1 / theta_j) - pull_{p + 1}.
    """

    logs: Floats
    constant: Floats
    response: Floats
    weight: Floats
    pull: Floats | None = None

    @property
    def batch(self) -> int:
        """How many problems there are, R."""
        parts = [self.logs, self.constant, self.response, self.weight]
        return max(len(part) for part in (parts if self.pull is None else [*parts, self.pull]))

    @property
    def powers(self) -> int:
        """How many powers there are, p."""
        return int(self.logs.shape[2])

    def take(self, chosen: npt.NDArray[np.intp] | slice) -> Rows:
        """Some of the problems, in the order given."""

        def part(values: Floats) -> Floats:
            return values if len(values) == 1 else values[chosen]

        pull = None if self.pull is None else part(self.pull)
        return Rows(part(self.logs), part(self.constant), part(self.response), part(self.weight), pull)


@dataclass(frozen=True)
class Solution:
    """Of each problem: exponents (R, p), coefficients (R, 1 + p) with E first, weighted residuals (R, n).

    gap (R,): the residual of the pull, zero without one.
    """

    exponents: Floats
    coefficients: Floats
    residuals: Floats
    gap: Floats

    @property
    def squares(self) -> Floats:
        """The sum of squares (R,) that was minimised."""
        return np.asarray((self.residuals**2).sum(axis=1) + self.gap**2)

    def take(self, chosen: npt.NDArray[np.intp] | slice) -> Solution:
        """Some of the problems, in the order given."""
        return Solution(self.exponents[chosen], self.coefficients[chosen], self.residuals[chosen], self.gap[chosen])

    def where(self, chosen: npt.NDArray[np.bool_], other: Solution) -> Solution:
        """Itself where `chosen` (R,), the other elsewhere."""
        column = chosen[:, None]
        return Solution(
            np.where(column, self.exponents, other.exponents),
            np.where(column, self.coefficients, other.coefficients),
            np.where(column, self.residuals, other.residuals),
            np.where(chosen, self.gap, other.gap),
        )


def solve(rows: Rows, start: Floats | None = None, tolerance: float = 1e-13) -> Solution:
    """The best fit of every problem, from exponents `start` (R, p) or from the best point of the grid.

    tolerance: a problem is solved when a step takes less than this share off its sum of squares.
    """
    first = scan(rows) if start is None else np.broadcast_to(start, (rows.batch, rows.powers))
    return _descend(rows, np.log(np.clip(first, LOW, HIGH)), tolerance)


def scan(rows: Rows) -> Floats:
    """Of each problem the point of the grid, exponents (R, p), with the least sum of squares, any pull left aside."""
    return np.concatenate([_scan(rows.take(slice(at, at + _CHUNK))) for at in range(0, rows.batch, _CHUNK)])


def project(rows: Rows, exponents: Floats) -> Solution:
    """The exact solution in E and c for given exponents (R, p)."""
    return _project(rows, np.log(exponents))[0]


def powers_at(logs: Floats, exponents: Floats) -> Floats:
    """x^-theta (R, n, p) for logarithms (R, n, p) and exponents (R, p)."""
    return np.asarray(np.exp(-logs * exponents[:, None, :]))


def pull_gap(pull: Floats, logs: Floats) -> tuple[Floats, Floats]:
    """The residual (R,) of the pull at logarithms (R, p) of exponents, and its gradient (R, p) in them."""
    shares = np.exp(-logs)
    total = shares.sum(axis=1)
    gap = (pull[:, :-2] * logs).sum(axis=1) + pull[:, -2] * np.log(total) - pull[:, -1]
    return gap, pull[:, :-2] - pull[:, -2:-1] * shares / total[:, None]


def _scan(rows: Rows) -> Floats:
    """See :func:`scan`. Sums over rows for the whole grid; entries of one exponent have an axis of length 1."""
    powers = rows.powers
    square = rows.weight**2
    flat, target = square * rows.constant, square * rows.response
    axes = [np.exp(-rows.logs[:, :, j, None] * GRID) for j in range(powers)]  # (R, n, grid)

    def total(values: Floats) -> Floats:
        return np.asarray(values.sum(axis=1).reshape((-1,) + (1,) * powers))

    def along(values: Floats, axis: Floats, j: int) -> Floats:
        sums = (values[:, None, :] @ axis)[:, 0]
        return sums if powers == 1 else np.expand_dims(sums, 2 - j)

    def crossed(i: int, j: int) -> Floats:
        if i == j:
            return along(square, axes[i] ** 2, i)
        return np.swapaxes(axes[0] * square[..., None], 1, 2) @ axes[1]

    edge = [along(flat, axes[j], j) for j in range(powers)]
    gram = [[total(flat * rows.constant), *edge]]
    gram += [[edge[i], *(crossed(i, j) for j in range(powers))] for i in range(powers)]
    moment = [total(target * rows.constant), *(along(target, axes[j], j) for j in range(powers))]
    explained = nonnegative(gram, moment)[1]
    best = np.argmax(explained.reshape(len(explained), -1), axis=1)
    return np.stack([GRID[at] for at in np.unravel_index(best, explained.shape[1:])], axis=1)


@dataclass(frozen=True)
class _Slope:
    """Gauss-Newton's view of a point: J'J (R, p, p) and J'r (R, p) in the logarithms of the exponents."""

    normal: Floats
    gradient: Floats


def _project(rows: Rows, logs: Floats) -> tuple[Solution, _Slope]:
    """The exact solution in E and c at logarithms (R, p) of exponents."""
    theta = np.exp(logs)
    columns = powers_at(rows.logs, theta) * rows.weight[..., None]
    flat = np.broadcast_to((rows.constant * rows.weight)[..., None], (*columns.shape[:2], 1))
    design = np.concatenate([flat, columns], axis=2)
    target = rows.weight * rows.response
    gram = np.swapaxes(design, 1, 2) @ design
    moment = (target[:, None, :] @ design)[:, 0]
    unknowns = range(design.shape[2])
    values, _ = nonnegative([[gram[:, i, j] for j in unknowns] for i in unknowns], [moment[:, i] for i in unknowns])
    coefficients = np.stack(np.broadcast_arrays(*values), axis=1)
    residuals = target - (design @ coefficients[..., None])[..., 0]
    moves = design[:, :, 1:] * rows.logs * (theta * coefficients[:, 1:])[:, None, :]
    jacobian = _outside(design, gram, coefficients > 0, moves)
    normal = np.swapaxes(jacobian, 1, 2) @ jacobian
    gradient = (residuals[:, None, :] @ jacobian)[:, 0]
    gap = np.zeros(len(residuals))
    if rows.pull is not None:
        gap, direction = pull_gap(rows.pull, logs)
        normal = normal + direction[:, :, None] * direction[:, None, :]
        gradient = gradient + direction * gap[:, None]
    return Solution(theta, coefficients, residuals, gap), _Slope(normal, gradient)


def _outside(design: Floats, gram: Floats, free: npt.NDArray[np.bool_], moves: Floats) -> Floats:
    """`moves` (R, n, p) less their projection on the columns of the design (R, n, 1 + p) that are free (R, 1 + p)."""
    size = np.sqrt(np.einsum("rii->ri", gram))
    size = np.where(free & (size > 0), size, np.inf)
    scaled = gram / (size[:, :, None] * size[:, None, :])
    scaled = scaled + np.eye(gram.shape[1]) * np.where(free, _RIDGE, 1.0)[:, None, :]
    inner = (np.swapaxes(design, 1, 2) @ moves) / size[:, :, None]
    return moves - design @ (np.linalg.solve(scaled, inner) / size[:, :, None])


def _descend(rows: Rows, logs: Floats, tolerance: float) -> Solution:
    """Levenberg-Marquardt in the logarithms of the exponents; each problem leaves when its own steps are over."""
    now, slope = _project(rows, logs)
    whole = now
    active = np.arange(rows.batch)
    damping = np.full(rows.batch, 1e-3)
    for _ in range(_STEPS):
        step = _step(slope, damping, logs)
        moved = np.clip(logs + step, _LEAST, _MOST)
        new, after = _project(rows, moved)
        gain = now.squares - new.squares
        better = gain > 0
        little = (np.abs(step).max(axis=1) < 1e-9) | (better & (gain <= tolerance * now.squares))
        over = little | (damping > _STIFF)
        now = new.where(better, now)
        logs = np.where(better[:, None], moved, logs)
        normal = np.where(better[:, None, None], after.normal, slope.normal)
        gradient = np.where(better[:, None], after.gradient, slope.gradient)
        damping = np.where(better, damping * _SHRINK, np.maximum(damping, 1e-6) * _GROW)
        if np.any(over):
            whole = _written(whole, active, now)
            keep = np.flatnonzero(~over)
            if not len(keep):
                return whole
            rows, now, logs, active, damping = rows.take(keep), now.take(keep), logs[keep], active[keep], damping[keep]
            normal, gradient = normal[keep], gradient[keep]
        slope = _Slope(normal, gradient)
    return _written(whole, active, now)


def _step(slope: _Slope, damping: Floats, logs: Floats) -> Floats:
    """The damped Gauss-Newton step (R, p). Exponents at the end of their range stay if descent leads beyond it."""
    held = ((logs <= _LEAST) & (slope.gradient > 0)) | ((logs >= _MOST) & (slope.gradient < 0))
    normal = np.where(held[:, :, None] | held[:, None, :], 0.0, slope.normal)
    spread = np.einsum("rii->ri", normal)
    ridge = np.where(held, 1.0, damping[:, None] * spread + 1e-300)
    damped = normal + np.eye(spread.shape[1]) * ridge[:, None, :]
    return np.asarray(-np.linalg.solve(damped, np.where(held, 0.0, slope.gradient)[..., None])[..., 0])


def _written(whole: Solution, at: npt.NDArray[np.intp], part: Solution) -> Solution:
    """`whole` with the problems `at` replaced by `part`."""
    out = whole.take(np.arange(len(whole.gap)))
    out.exponents[at], out.coefficients[at] = part.exponents, part.coefficients
    out.residuals[at], out.gap[at] = part.residuals, part.gap
    return out
