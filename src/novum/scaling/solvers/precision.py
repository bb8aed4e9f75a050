"""How precisely a fit determines what follows from it: robust standard errors with their degrees of freedom.

The variance is HC2 (MacKinnon and White, J. Econometrics 29, 1985): each residual counts by itself, over one less its
leverage, so that noise which differs between cells in an unknown way does no harm. Its degrees of freedom are those of
Bell and McCaffrey (Survey Methodology 28, 2002). A nonlinear fit is seen through its tangent plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.scaling.solvers.variable_projection import Rows, Solution, powers_at, pull_gap

Floats = npt.NDArray[np.float64]

FAR = 1e4
"""A logarithm of x at which every power has vanished."""

_LEAST_FREE = 1e-6
"""One less the leverage of a row is taken to be at least this."""


@dataclass(frozen=True)
class Functional:
    """A number that follows from exponents and coefficients: by `row` or by `pull`, whichever is not empty.

    row: constant, logs (p): what the law says at a place; see `Rows` for the units.
    pull (p + 1): sum over j of pull_j log theta_j + pull_p log(sum over j of 1 / theta_j).
    log: intervals are searched on the scale of its logarithm.
    """

    row: tuple[float, ...] = ()
    pull: tuple[float, ...] = ()
    log: bool = False

    def value(self, solution: Solution) -> Floats:
        """Of each problem (R,)."""
        return self._both(solution)[0]

    def gradient(self, solution: Solution) -> Floats:
        """In E, c and the logarithms of the exponents (R, 1 + 2 p)."""
        return self._both(solution)[1]

    def _both(self, solution: Solution) -> tuple[Floats, Floats]:
        theta, coefficients = solution.exponents, solution.coefficients
        if self.pull:
            pull = np.array([(*self.pull, 0.0)])
            value, slope = pull_gap(pull, np.log(theta))
            return value, np.concatenate([np.zeros_like(coefficients), slope], axis=1)
        constant, logs = self.row[0], np.array(self.row[1:])
        powers = powers_at(logs[None, None, :], theta)[:, 0]
        value = constant * coefficients[:, 0] + (powers * coefficients[:, 1:]).sum(axis=1)
        slope = -theta * logs * powers * coefficients[:, 1:]
        return value, np.concatenate([np.full((len(theta), 1), constant), powers, slope], axis=1)


@dataclass(frozen=True)
class Precision:
    """Of R problems and F functionals: value, standard error and its degrees of freedom, all (R, F).

    pulls (R, F, n): how the value moves with each weighted response. influence (R, F, n): the same times the residual
    over the root of one less its leverage; its squares sum to the variance. leverage (R, n).
    """

    value: Floats
    error: Floats
    dof: Floats
    pulls: Floats
    influence: Floats
    leverage: Floats

    @property
    def unit(self) -> Floats:
        """The standard error (R, F) if every weighted residual had sd 1."""
        return np.asarray(np.sqrt((self.pulls**2).sum(axis=2)))


def precision(rows: Rows, solution: Solution, functionals: Sequence[Functional]) -> Precision:
    """See the module. Rows must have no pull."""
    jacobian = _jacobian(rows, solution)
    size = np.sqrt((jacobian**2).sum(axis=1, keepdims=True))
    size = np.where(size > 0, size, 1.0)
    inverse = np.linalg.pinv(jacobian / size, rcond=1e-10)  # (R, 1 + 2 p, n)
    hat = (jacobian / size) @ inverse
    leverage = np.clip(np.einsum("rii->ri", hat), 0.0, 1 - _LEAST_FREE)
    shape = (len(solution.gap), len(functionals))
    value, gradient = np.empty(shape), np.empty((*shape, jacobian.shape[2]))
    for at, one in enumerate(functionals):
        value[:, at], gradient[:, at] = one.value(solution), one.gradient(solution)
    gradient /= size
    pulls = gradient @ inverse  # (R, F, n)
    spread = pulls / np.sqrt(1 - leverage)[:, None, :]
    influence = spread * solution.residuals[:, None, :]
    return Precision(
        value,
        np.sqrt((influence**2).sum(axis=2)),
        _dof(pulls, spread, hat, leverage),
        pulls,
        influence,
        leverage,
    )


def _jacobian(rows: Rows, solution: Solution) -> Floats:
    """Derivatives (R, n, 1 + 2 p) of weighted fitted values in E, c and the logarithms of the exponents."""
    powers = powers_at(rows.logs, solution.exponents)
    moves = -rows.logs * powers * (solution.exponents * solution.coefficients[:, 1:])[:, None, :]
    flat = np.broadcast_to(rows.constant[..., None], (*powers.shape[:2], 1))
    return np.asarray(np.concatenate([flat, powers, moves], axis=2) * rows.weight[..., None])


def _dof(pulls: Floats, spread: Floats, hat: Floats, leverage: Floats) -> Floats:
    """Of the variance as a quadratic form in noise of equal sd: trace squared over the trace of the square."""
    squares = spread**2
    own = (pulls**2).sum(axis=2) ** 2
    diagonal = (pulls**4).sum(axis=2) - (squares**2 * leverage[:, None, :] ** 2).sum(axis=2)
    cross = (squares @ hat**2 * squares).sum(axis=2)
    below = diagonal + cross
    return np.asarray(np.where(below > 0, own / np.where(below > 0, below, 1.0), 1.0))
