"""The difference of two scores as everything else understands it: positive is better, on the card's scale."""

from __future__ import annotations

import math


def gain(candidate: float, incumbent: float, *, higher_is_better: bool, log: bool) -> float:
    """Improvement of one score over another in metric units, or in natural-log units when `log` (scores positive)."""
    difference = math.log(candidate / incumbent) if log else candidate - incumbent
    return difference if higher_is_better else -difference
