"""The size of a supported effect: a mean of fresh pairs and a confidence sequence around it.

For each value m, E[clip(D - m, -c, c)] = 0 is tested from both sides with the betting e-process at half the error
each; the values that survive form the sequence (Waudby-Smith & Ramdas, arXiv 2010.09686, section 4). It covers the
clipped location of D, which is the mean when D is symmetric or never clipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from novum.gate import eprocess
from novum.gate.eprocess import Bound

_STEPS = 60
_REACH = 4.0


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value."""
    return math.fsum(values) / len(values)


def interval(
    differences: Sequence[float], scale: float, level: float, process: eprocess.Path = eprocess.path, sigma: float = 1.0
) -> tuple[float, float] | None:
    """Two-sided confidence sequence in metric units at `level`, or None while it is still unbounded.

    It is unbounded when no value of m could be rejected even by pairs that all fall beyond the clip.
    """
    bar = 2.0 / (1.0 - level)

    def above(m: float) -> bool:
        return max(process(differences, Bound(m, scale, sigma=sigma))) >= bar

    def below(m: float) -> bool:
        return max(eprocess.mirrored(differences, Bound(m, scale, sigma=sigma), process)) >= bar

    low_end, high_end = min(differences) - _REACH * scale, max(differences) + _REACH * scale
    if not (above(low_end) and below(high_end)):
        return None
    low = boundary(above, low_end, high_end)
    high = boundary(below, high_end, low_end)
    return (min(low, high), max(low, high))


def boundary(rejected: Callable[[float], bool], far: float, near: float) -> float:
    """Bisect between a rejected value `far` and a kept one: the outermost end of the kept set, up to rounding."""
    outside, inside = far, near
    for _ in range(_STEPS):
        middle = (outside + inside) / 2
        if rejected(middle):
            outside = middle
        else:
            inside = middle
    return outside
