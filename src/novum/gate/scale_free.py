"""The scale-free e-process: a test that needs three runs of the incumbent where others need a block of them.

E_n = mean over g in {1/2, 1, 2, 4} of prod_{i<=n} (1 + tanh(g x_i / s_i)), x = D - delta,
s_i^2 = (2 s_0^2 + x_1^2 + ... + x_i^2) / (i + 2), s_0 = sigma from the incumbent's runs so far.

For differences whose sign is symmetric given their sizes it is an e-process whatever the scale is: s_i uses sizes only
and sizes carry no sign. What it supports is a typical gain (a location of symmetry above delta), never a mean: one
large loss in twenty runs passes it in up to three of four tries (docs/trust.md has the rows).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from novum.gate.eprocess import Bound
from novum.gate.symmetric import factor

GRID = (0.5, 1.0, 2.0, 4.0)
PRIOR_PAIRS = 2
"""How many pairs the scale from the incumbent's own runs counts for."""


def path(differences: Iterable[float], bound: Bound) -> Iterator[float]:
    """E_1, E_2, ... after each pair; of the bound it uses value and sigma."""
    products, squares = [1.0] * len(GRID), PRIOR_PAIRS * bound.sigma**2
    for n, difference in enumerate(differences, start=1):
        x = difference - bound.value
        squares += x * x
        scale = math.sqrt(squares / (n + PRIOR_PAIRS))
        standard = x / scale if scale > 0 else 0.0
        products = [product * factor(g * standard) for product, g in zip(products, GRID, strict=True)]
        yield math.fsum(products) / len(GRID)
