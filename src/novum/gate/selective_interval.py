"""The size of a finding: an effect, and an interval that agrees with the verdict and allows for the selection.

Both ends invert the e-process of the claim on verdict and fresh pairs together, E at the last of them. Lower end:
values rejected at 5/4 of the threshold that the claim reached (e-BY: Xu, Wang, Ramdas, arXiv 2203.12572): over all
findings of a campaign the expected share of lower ends above the truth is at most four fifths of alpha. Upper end:
values rejected by the mirrored process at a fifth of what the level leaves; pairs that were selected for a gain
overstate it, so that this end errs on the far side (docs/trust.md has the simulated coverage of both). The effect is of
what is claimed, from fresh pairs alone: their mean, or the value around which their clipped differences balance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.verdict import Estimand, Estimate
from novum.gate import eprocess, estimate
from novum.gate.eprocess import Bound

LOWER_SHARE = 0.8
"""Of the error that the level leaves, the part of the lower end; the rest is the upper end's."""

_REACH = 4.0
_STEPS = 60


def size(
    rule: ConfirmationOpened, gains: Sequence[float], judged: int, bar: float, process: eprocess.Path, level: float
) -> Estimate:
    """Effect and interval in metric units from `gains`: `judged` that the verdict used, then at least one fresh one.

    bar: the threshold that the claim reached. The interval is None when all pairs together bound one end only.
    """
    fresh, error = gains[judged:], 1.0 - level
    effect = estimate.mean(fresh) if rule.claim is Estimand.MEAN else balanced(fresh, rule.scale)

    def above(value: float) -> bool:
        *_, e_value = process(gains, Bound(value, rule.scale, rule.loss, rule.sigma))
        return e_value >= bar * rule.alpha / (LOWER_SHARE * error)

    def below(value: float) -> bool:
        *_, e_value = eprocess.mirrored(gains, Bound(value, rule.scale, rule.loss, rule.sigma), process)
        return e_value >= 1.0 / ((1.0 - LOWER_SHARE) * error)

    low = _end(above, min(gains) - _REACH * rule.scale, max(gains))
    high = _end(below, max(gains) + _REACH * rule.scale, min(gains))
    if low is None or high is None:
        return Estimate(effect, None, level, len(fresh))
    return Estimate(effect, (min(low, effect), max(high, effect)), level, len(fresh))


def balanced(values: Sequence[float], scale: float) -> float:
    """The value m at which the differences, clipped at m - scale and m + scale, balance: sum clip(D - m) = 0."""
    low, high = min(values), max(values)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if math.fsum(max(-scale, min(scale, value - middle)) for value in values) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _end(rejected: Callable[[float], bool], far: float, near: float) -> float | None:
    """The outermost value that is kept, between a rejected `far` and `near`; None where not even `far` is rejected."""
    if not rejected(far):
        return None
    return near if rejected(near) else estimate.boundary(rejected, far, near)
