"""The betting e-process on clipped paired differences.

Under H0, E[clip(D - delta, -L c, c) | past] <= 0, the product below is a non-negative supermartingale that starts at 1,
whatever the distribution of D (Waudby-Smith & Ramdas, JRSS B 2024, arXiv 2010.09686): each factor 1 + lambda y is
positive because lambda L < 1, and each bet lambda is known before its pair is drawn. With L = 1 both sides are clipped
alike and the claim is of the typical gain; with L c at least the largest possible loss nothing is clipped that could
hide a loss, and the claim is of the mean: cutting gains at c can only lower E.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

FIRST_BET = 0.3
LARGEST_BET = 0.9
PRIOR_VARIANCE = 0.11


@dataclass(frozen=True, slots=True)
class Bound:
    """What an e-process tests: that the location of D is at most `value`.

    value and scale (c) in metric units; loss (L, at least 1): in units of c, the loss up to which differences count in
    full; gains count up to c. sigma: sd of a difference of two runs of the incumbent, or a guess of it.
    """

    value: float
    scale: float
    loss: float = 1.0
    sigma: float = 1.0

    def reflected(self) -> Bound:
        """The bound for -D."""
        return Bound(-self.value, self.scale, self.loss, self.sigma)


def clipped(difference: float, bound: Bound) -> float:
    """Y = clip((D - value) / c, -L, 1), without unit."""
    return max(-bound.loss, min(1.0, (difference - bound.value) / bound.scale))


def path(differences: Iterable[float], bound: Bound) -> Iterator[float]:
    """E_1, E_2, ...: the e-value after each pair.

    differences: D_i = score(X) - score(B) on seed i, positive is better, in metric units.
    The bet follows aGRAPA: lambda_{n+1} = clip(sum y / (0.11 + sum y^2), 0, 0.9 / L), lambda_1 = min(0.3, 0.9 / L).
    """
    largest = LARGEST_BET / bound.loss
    e, bet, total, squares = 1.0, min(FIRST_BET, largest), 0.0, 0.0
    for difference in differences:
        y = clipped(difference, bound)
        e *= 1.0 + bet * y
        yield e
        total += y
        squares += y * y
        bet = max(0.0, min(largest, total / (PRIOR_VARIANCE + squares)))


Path = Callable[[Iterable[float], Bound], Iterator[float]]
"""An e-process: (differences, bound) -> E_1, E_2, ..."""


def mirrored(differences: Iterable[float], bound: Bound, process: Path = path) -> Iterator[float]:
    """The e-process against "the gain is at least `bound.value`": `process` on the reflected differences."""
    return process((-difference for difference in differences), bound.reflected())


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
