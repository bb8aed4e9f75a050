"""Non-negative least squares in up to three unknowns, for whole arrays of problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TINY = 1e-13
"""A pivot below this share of its diagonal is taken for zero."""


def nonnegative(gram: Sequence[Sequence[Floats]], moment: Sequence[Floats]) -> tuple[list[Floats], Floats]:
    """The unknowns c >= 0 that minimise c'Gc - 2 c'm, and what they explain, c'm at the minimum.

    Entries of the normal equations may have any shapes that broadcast. Of the solutions on each subset of the unknowns
    the feasible one that explains most is the optimum, since the problem is convex.
    """
    k = len(moment)
    shape = np.broadcast_shapes(*(one.shape for one in moment), *(one.shape for row in gram for one in row))
    best, explained = [np.zeros(shape) for _ in range(k)], np.zeros(shape)
    for subset in subsets(k):
        values = _eliminate(gram, moment, subset)
        gain = sum((v * moment[i] for v, i in zip(values, subset, strict=True)), np.zeros(shape))
        better = gain > explained
        for v in values:
            better &= v >= 0
        for i in range(k):
            best[i] = np.where(better, values[subset.index(i)] if i in subset else 0.0, best[i])
        explained = np.where(better, gain, explained)
        if len(subset) == k and np.all(better):
            break
    return best, explained


def subsets(k: int) -> list[tuple[int, ...]]:
    """All but the empty one, the largest first."""
    return [one for size in range(k, 0, -1) for one in combinations(range(k), size)]


def _eliminate(gram: Sequence[Sequence[Floats]], moment: Sequence[Floats], subset: tuple[int, ...]) -> list[Floats]:
    """Gaussian elimination of the normal equations on a subset; zero pivots give nan, which no comparison passes."""
    k = len(subset)
    a = [[gram[i][j] for j in subset] for i in subset]
    b = [moment[i] for i in subset]
    for i in range(k):
        whole = gram[subset[i]][subset[i]]
        a[i][i] = np.where(a[i][i] > _TINY * whole, a[i][i], np.nan)
        for row in range(i + 1, k):
            factor = a[row][i] / a[i][i]
            for column in range(i + 1, k):
                a[row][column] = a[row][column] - factor * a[i][column]
            b[row] = b[row] - factor * b[i]
    out = list(b)
    for i in range(k - 1, -1, -1):
        for column in range(i + 1, k):
            out[i] = out[i] - a[i][column] * out[column]
        out[i] = out[i] / a[i][i]
    return out
