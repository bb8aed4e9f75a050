"""The places of a design as a least-squares problem: logarithms, weights, and the numbers that are asked of a fit.

Repeats of a cell enter as their mean, so that whatever all runs of a cell share (a learning rate that suits its size
less) is noise between cells, and is seen in the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from novum.scaling.solvers.precision import FAR, Functional
from novum.scaling.solvers.variable_projection import Rows, Solution, solve
from novum.scaling.training_runs import Cell

Floats = npt.NDArray[np.float64]


class Noise(StrEnum):
    """How the sd of a run depends on its place, where the runs do not say it."""

    RELATIVE = "relative"
    """In proportion to the fitted value."""
    EQUAL = "equal"
    """The same everywhere."""


@dataclass(frozen=True)
class Places:
    """Places of a design: logarithms (n, p) of their coordinates from `origin` (p,), runs at each (n,)."""

    logs: Floats
    origin: Floats
    repeats: Floats
    sd: Floats | None = None

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Places:
        """Those of cells; the origin is the mean of the logarithms."""
        logs = np.log(np.array([one.place for one in cells]))
        origin = logs.mean(axis=0)
        sd = None if cells[0].sd is None else np.array([one.sd for one in cells], dtype=float)
        return cls(logs - origin, origin, np.array([float(one.repeats) for one in cells]), sd)

    def solved(self, means: Floats, noise: Noise) -> tuple[Rows, Solution]:
        """The least-squares fits of cell means (R, n). Weights are sqrt(repeats) / sd, the sd up to a common factor.

        Relative noise takes two fits: weights that followed the measured values would favour those that fell low.
        """
        runs = np.sqrt(self.repeats)[None]
        weight = runs if self.sd is None else runs / self.sd
        rows = Rows(self.logs[None], np.ones((1, len(self.logs))), means, weight)
        best = solve(rows)
        if self.sd is not None or noise is Noise.EQUAL:
            return rows, best
        fitted = means - best.residuals / weight
        least = 1e-3 * np.abs(fitted).max(axis=1, keepdims=True)
        rows = Rows(rows.logs, rows.constant, means, runs / np.maximum(fitted, least))
        return rows, solve(rows, best.exponents)

    def at(self, place: Sequence[float]) -> Functional:
        """What the law says at a place."""
        logs = np.log(np.asarray(place, dtype=float)) - self.origin
        return Functional(row=(1.0, *(float(one) for one in logs)))

    def named(self) -> dict[str, Functional]:
        """The parameters, and with two powers a and gamma. Exponents by their logarithms, a by its log odds."""
        origin = [float(one) for one in self.origin]
        if len(origin) == 1:
            return {
                "E": Functional(row=(1.0, FAR)),
                "A": Functional(row=(0.0, -origin[0]), log=True),
                "alpha": Functional(pull=(1.0, 0.0)),
            }
        return {
            "E": Functional(row=(1.0, FAR, FAR)),
            "A": Functional(row=(0.0, -origin[0], FAR), log=True),
            "B": Functional(row=(0.0, FAR, -origin[1]), log=True),
            "alpha": Functional(pull=(1.0, 0.0, 0.0)),
            "beta": Functional(pull=(0.0, 1.0, 0.0)),
            "a": Functional(pull=(-1.0, 1.0, 0.0)),
            "gamma": Functional(pull=(0.0, 0.0, -1.0)),
        }


def unscaled(name: str, values: Floats) -> Floats:
    """A named number, of any shape, from the scale on which its functional has it."""
    if name in ("alpha", "beta", "gamma"):
        return np.asarray(np.exp(values))
    return np.asarray(1 / (1 + np.exp(-values)) if name == "a" else values)
