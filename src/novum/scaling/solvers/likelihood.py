"""Intervals from the profile of the sum of squares, scaled by robust standard errors.

The interval of a functional g holds the values q to which g can be held at little cost:

    min over the laws with g = q of the sum of squares, less the least sum of squares  <=  (t error / unit)^2

with error, unit and the degrees of freedom of t from `precision`. With equal noise, error / unit estimates its sd and
this is the profile likelihood interval; as an adjusted likelihood (Royall and Tsou, JRSS B 65, 2003) it keeps its
level when noise differs between cells, and keeps the profile's skew and bounds, which the errors alone have not.
Holding g to q is one more row with a weight far above all others, so that the same solver does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from novum.scaling.solvers.precision import Functional, Precision
from novum.scaling.solvers.quantiles import student_quantile
from novum.scaling.solvers.variable_projection import Rows, Solution, solve

Floats = npt.NDArray[np.float64]

_HOLD = 1e3
"""sd of a functional over the sd at which it is held."""

_STEPS = 30
_CLOSE = 1e-3
_ENOUGH = 1e-8
_FAR = 60.0
"""A logarithm changes by at most this much."""


def ends(
    rows: Rows, best: Solution, functionals: Sequence[Functional], known: Precision, level: float
) -> tuple[Floats, Floats]:
    """Lower and upper ends, both (R, F); those of sums of powers are not negative.

    rows: R problems without a pull; best: their solution; known: its precision; level: such as 0.9.
    """
    count, width = known.value.shape
    problem, which, side = (
        part.ravel() for part in np.meshgrid(range(count), range(width), (-1.0, 1.0), indexing="ij")
    )
    problem, which = problem.astype(np.intp), which.astype(np.intp)
    quantile = student_quantile((1 + level) / 2, known.dof)
    reach = (quantile * known.error)[problem, which]
    search = _Search(
        rows,
        best,
        functionals,
        problem,
        which,
        known.value[problem, which],
        known.unit[problem, which],
        np.divide(reach, known.unit[problem, which], out=np.zeros_like(reach), where=known.unit[problem, which] > 0),
    )
    found = _distances(search, side, reach).reshape(count, width, 2)
    return np.minimum(found[:, :, 0], known.value), np.maximum(found[:, :, 1], known.value)


@dataclass(frozen=True)
class _Search:
    """K ends that are searched: each of one problem and one functional; `allowed`: the root of the cost there."""

    rows: Rows
    best: Solution
    functionals: Sequence[Functional]
    problem: npt.NDArray[np.intp]
    which: npt.NDArray[np.intp]
    value: Floats
    unit: Floats
    allowed: Floats

    def take(self, chosen: npt.NDArray[np.intp]) -> _Search:
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in ("problem", "which", "value", "unit", "allowed")},
        )

    def moved(self, side: Floats, distance: Floats) -> Floats:
        """The value at a distance from the estimate on its own scale."""
        log = np.array([one.log for one in self.functionals])[self.which]
        row = np.array([bool(one.row) for one in self.functionals])[self.which]
        relative = np.clip(side * distance / np.where(log, np.maximum(self.value, 1e-300), 1.0), -_FAR, _FAR)
        moved = np.where(log, self.value * np.exp(np.where(log, relative, 0.0)), self.value + side * distance)
        return np.where(row, np.maximum(moved, 0.0), moved)

    def cost(self, at: Floats, start: Floats) -> tuple[Floats, Floats]:
        """Root of the cost of holding to `at` over what is allowed, and the exponents found."""
        held = solve(_held_rows(self, at), start, _ENOUGH)
        least = self.best.squares[self.problem]
        root = np.sqrt(np.maximum(held.squares - least, 0.0))
        return root / np.where(self.allowed > 0, self.allowed, 1e-300), held.exponents


def _held_rows(search: _Search, at: Floats) -> Rows:
    """The problems of a search, each with its functional held to a value."""
    rows, powers = search.rows, search.rows.powers
    of = [one.row or (0.0,) * (1 + powers) for one in search.functionals]
    pulls = [one.pull or (0.0,) * (1 + powers) for one in search.functionals]
    place, pull = np.array(of)[search.which], np.array(pulls)[search.which]
    by_row = np.array([bool(one.row) for one in search.functionals])[search.which]
    hold = _HOLD / np.where(search.unit > 0, search.unit, 1.0)
    log = np.array([one.log for one in search.functionals])[search.which]
    hold = hold * np.where(log, search.value / np.where(log, at, 1.0), 1.0)

    def extended(values: Floats, last: Floats) -> Floats:
        whole = np.broadcast_to(values, (len(search.best.gap), *values.shape[1:]))[search.problem]
        return np.concatenate([whole, last[:, None]], axis=1)

    return Rows(
        extended(rows.logs, place[:, 1:]),
        extended(rows.constant, place[:, 0]),
        extended(rows.response, at),
        extended(rows.weight, np.where(by_row, hold, 0.0)),
        np.concatenate([pull, at[:, None]], axis=1) * np.where(by_row, 0.0, hold)[:, None],
    )


def _distances(search: _Search, side: Floats, first: Floats) -> Floats:
    """The ends (K,): where the root of the cost is what is allowed, by false position with a bracket."""
    out = search.moved(side, np.zeros_like(first))
    active = np.flatnonzero((search.allowed > 0) & (first > 0))
    near, near_root = np.zeros(len(active)), np.zeros(len(active))
    far, far_root = np.full(len(active), np.inf), np.full(len(active), np.inf)
    distance, start = first[active], search.best.exponents[search.problem[active]]
    for _ in range(_STEPS):
        if not len(active):
            break
        part = search.take(active)
        at = part.moved(side[active], distance)
        root, start = part.cost(at, start)
        out[active] = at
        below = root < 1
        stuck = below & (at == part.moved(side[active], distance * 1.5))
        near, near_root = np.where(below, distance, near), np.where(below, root, near_root)
        far, far_root = np.where(below, far, distance), np.where(below, far_root, root)
        distance = _next(near, near_root, far, far_root)
        keep = np.flatnonzero(~(stuck | (np.abs(root - 1) < _CLOSE)))
        active, distance, start = active[keep], distance[keep], start[keep]
        near, near_root, far, far_root = near[keep], near_root[keep], far[keep], far_root[keep]
    return out


def _next(near: Floats, near_root: Floats, far: Floats, far_root: Floats) -> Floats:
    """The next distance: outwards while there is no far side, else between the two."""
    outwards = near * np.clip(1 / np.maximum(near_root, 1e-3), 1.1, 3.0)
    bracket = np.isfinite(far)
    width = np.where(bracket, far - near, 0.0)
    rise = np.where(bracket, np.where(bracket, far_root, 1.0) - near_root, 1.0)
    share = np.clip((1 - near_root) / rise, 0.05, 0.95)
    return np.where(bracket, near + share * width, outwards)
