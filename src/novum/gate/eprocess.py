"""The betting e-process on clipped paired differences.

Under H0, E[clip(D - delta, -c, c) | past] <= 0, the product below is a non-negative supermartingale that starts at 1,
whatever the distribution of D (Waudby-Smith & Ramdas, JRSS B 2024, arXiv 2010.09686): each factor 1 + lambda y is
positive because |lambda y| < 1, and each bet lambda is known before its pair is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

FIRST_BET = 0.3
LARGEST_BET = 0.9
PRIOR_VARIANCE = 0.11


def clipped(difference: float, delta: float, scale: float) -> float:
    """Y = clip((D - delta) / c, -1, 1), without unit. `scale` c must be positive."""
    return max(-1.0, min(1.0, (difference - delta) / scale))


def path(differences: Iterable[float], delta: float, scale: float) -> Iterator[float]:
    """E_1, E_2, ...: the e-value after each pair.

    differences: D_i = score(X) - score(B) on seed i, positive is better, in metric units; delta and scale likewise.
    The bet follows aGRAPA: lambda_{n+1} = clip(sum y / (0.11 + sum y^2), 0, 0.9).
    """
    e, bet, total, squares = 1.0, FIRST_BET, 0.0, 0.0
    for difference in differences:
        y = clipped(difference, delta, scale)
        e *= 1.0 + bet * y
        yield e
        total += y
        squares += y * y
        bet = max(0.0, min(LARGEST_BET, total / (PRIOR_VARIANCE + squares)))


Path = Callable[[Iterable[float], float, float], Iterator[float]]
"""An e-process: (differences, delta, scale) -> E_1, E_2, ..."""


def mirrored(differences: Iterable[float], bound: float, scale: float, process: Path = path) -> Iterator[float]:
    """The e-process against "the gain is at least `bound`": `process` on the reflected differences."""
    return process((-difference for difference in differences), -bound, scale)


def growth(effect: float) -> float:
    """g(d) = ln 2 (1 - exp(-d^2 / (2 ln 2))): best-case log growth of E per pair at an effect of d sd, 0 for d <= 0."""
    if effect <= 0:
        return 0.0
    return math.log(2) * (1.0 - math.exp(-effect * effect / (2 * math.log(2))))


def reachable(e_value: float, drift: float, sd: float, n: int, remaining: float, bar: float, kappa: float) -> bool:
    """Whether log E + remaining * g(drift/sd + kappa/sqrt n) >= log bar: the best case by `kappa` standard errors.

    drift and sd of the n differences so far. A heuristic, and free to be: any stopping rule is valid.
    """
    hope = growth(drift / max(sd, 1e-12) + kappa / math.sqrt(n))
    return math.log(max(e_value, 1e-300)) + remaining * hope >= math.log(bar)


def fewest_pairs(threshold: float) -> int:
    """The smallest n at which E_n can reach `threshold` at all: E_n <= 1.3 * 1.9^(n-1)."""
    if threshold <= 1.0 + FIRST_BET:
        return 1
    return 1 + math.ceil(math.log(threshold / (1.0 + FIRST_BET)) / math.log(1.0 + LARGEST_BET) - 1e-12)
