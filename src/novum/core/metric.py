"""What scores are fit to be compared, and their difference as everything else understands it: positive is better."""

from __future__ import annotations

import math

from novum.core.nouns import Card, Kind, Score


def gain(candidate: float, incumbent: float, *, higher_is_better: bool, log: bool) -> float:
    """Improvement of one score over another in metric units, or in natural-log units when `log` (scores positive)."""
    difference = math.log(candidate / incumbent) if log else candidate - incumbent
    return difference if higher_is_better else -difference


def unfit(card: Card, score: Score) -> tuple[Kind, str] | None:
    """Why a score cannot stand as a number, with the outcome that it is instead; None when it can."""
    if not math.isfinite(score.value):
        return Kind.DIVERGED, f"the score is {score.value}"
    if card.log and score.value <= 0:
        return Kind.INVALID, f"the score is {score.value}, and scores that are compared by ratio are positive"
    for metric in card.metrics:
        value = score.others.get(metric.name)
        if value is None or not math.isfinite(value) or (metric.log and value <= 0):
            return Kind.INVALID, f"the scorer gave {value} as {metric.name!r}"
    return None
