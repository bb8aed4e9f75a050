"""The scale-free e-process of symmetry, for metrics whose scale cannot be fixed beforehand.

E_n = mean over g in {1/4, 1/2, 1, 2, 4} of prod_{i<=n} 2 / (1 + exp(-2 g x_i / s_i)), x = D - delta, s_i^2 the mean of
x_1^2 .. x_i^2. Exact when candidate and incumbent are exchangeable under H0, since D - delta is then symmetric about 0,
whatever its tails (Vovk & Wang, arXiv 2208.08925). Never use it where skewed crashes are plausible: a rare large loss
makes a harmless difference look like a gain (docs/trust.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from novum.gate.eprocess import Bound

GRID = (0.25, 0.5, 1.0, 2.0, 4.0)


def path(differences: Iterable[float], bound: Bound) -> Iterator[float]:
    """E_1, E_2, ... after each pair; it needs no scale."""
    products, length = [1.0] * len(GRID), 0.0
    for n, difference in enumerate(differences, start=1):
        x = difference - bound.value
        length = math.hypot(length, x)  # the root of the sum of squares, for numbers of any size
        standard = x / length * math.sqrt(n) if length > 0 else 0.0
        products = [product * factor(g * standard) for product, g in zip(products, GRID, strict=True)]
        yield math.fsum(products) / len(GRID)


def factor(z: float) -> float:
    """2 / (1 + exp(-2 z)) = 1 + tanh(z), which cannot overflow."""
    return 1.0 + math.tanh(z)
