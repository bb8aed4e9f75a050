"""Intervals of the parameters of whole batches of fits, each in its own units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from novum.scaling.places import Places, unscaled
from novum.scaling.solvers.likelihood import ends
from novum.scaling.solvers.precision import precision
from novum.scaling.solvers.variable_projection import HIGH, LOW, Rows, Solution

Floats = npt.NDArray[np.float64]

_AMOUNTS = {"alpha": "A", "beta": "B"}

EDGE = 1.01
"""An exponent within 1 % of the end of its range is at the edge."""


def parameter_intervals(places: Places, rows: Rows, best: Solution, level: float) -> dict[str, tuple[Floats, Floats]]:
    """Lower and upper ends, each (R,), by name; see `Places.named`.

    An exponent that is not bounded within the range that is searched has 0 or infinity for an end, and so has its
    amount.
    """
    named = places.named()
    functionals = list(named.values())
    lows, highs = ends(rows, best, functionals, precision(rows, best, functionals), level)
    out = {}
    for at, name in enumerate(named):
        low, high = unscaled(name, lows[:, at]), unscaled(name, highs[:, at])
        if name in _AMOUNTS:
            low, high = np.where(low < LOW * EDGE, 0.0, low), np.where(high > HIGH / EDGE, np.inf, high)
        out[name] = low, high
    for exponent, amount in _AMOUNTS.items():
        if exponent in out:
            below, above = out[exponent][0] == 0, np.isinf(out[exponent][1])
            out[amount] = np.where(below, 0.0, out[amount][0]), np.where(above, np.inf, out[amount][1])
    return out
