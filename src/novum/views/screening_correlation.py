"""Does screening predict what confirmation finds? A useless proxy should be visible, not believed.

Kendall's tau-b between the screening gain and the mean difference of the confirming pairs, over all confirmations that
have ended. Only promoted candidates are confirmed, so the range is restricted and
tau is pulled towards 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from novum.core.state.campaign_state import CampaignState

FEWEST = 8
LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class Proxy:
    """tau in [-1, 1] with an interval at `level`, from `confirmations`; None where too few to say."""

    tau: float | None
    interval: tuple[float, float] | None
    level: float
    confirmations: int


def proxy(state: CampaignState) -> Proxy:
    """How well the screening of a campaign has predicted its confirmations so far."""
    points = [
        (gain, h.verdict.mean)
        for h in state.hypotheses.values()
        if h.verdict and h.verdict.mean is not None and (gain := state.advantage(h)) is not None
    ]
    tau = kendall(points) if len(points) >= FEWEST else None
    return Proxy(tau, _interval(tau, len(points)) if tau is not None else None, LEVEL, len(points))


def sentence(found: Proxy) -> str:
    """The finding in words."""
    if found.tau is None:
        return f"Too few confirmations ({found.confirmations}) to say whether screening predicts them."
    low, high = found.interval or (-1.0, 1.0)
    what = "predicts" if low > 0 else "has not been shown to predict"
    return (
        f"Screening {what} confirmation: Kendall's tau {found.tau:+.2f} ({found.level:.0%} interval {low:+.2f} to "
        f"{high:+.2f}) over {found.confirmations} confirmations."
    )


def kendall(points: Sequence[tuple[float, float]]) -> float | None:
    """Kendall's tau-b of pairs (x, y); None when either side is constant."""
    agree = ties_x = ties_y = 0
    total = len(points) * (len(points) - 1) // 2
    for i, (x, y) in enumerate(points):
        for other_x, other_y in points[:i]:
            agree += _sign(x - other_x) * _sign(y - other_y)
            ties_x += x == other_x
            ties_y += y == other_y
    scale = math.sqrt((total - ties_x) * (total - ties_y))
    return agree / scale if scale else None


def _interval(tau: float, count: int) -> tuple[float, float]:
    """By Fisher's transformation, with the variance of Fieller, Hartley and Pearson (1957): 0.437 / (n - 4).

    Of a perfect order so few points tell no more than that it is near 1, so tau is taken 1 / n short of it.
    """
    near = max(-1.0 + 1.0 / count, min(1.0 - 1.0 / count, tau))
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(0.437 / (count - 4))
    return math.tanh(math.atanh(near) - half), math.tanh(math.atanh(near) + half)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
