"""The learning rate over a trial."""

from __future__ import annotations

from novum.arenas.optimisers.options import Options
from novum.population.recipe import schedule

WARMUP = 0.05
"""Part of the steps in which rates rise."""


def factor(options: Options, step: int, steps: int) -> float:
    """On the learning rate: a linear rise, then the schedule, which ends at zero or stays."""
    rise = max(1, round(WARMUP * steps))
    if options.schedule == "cosine" or step < rise:
        return schedule(step, steps, WARMUP)
    return 1.0 if options.schedule == "constant" else 1 - (step - rise) / max(1, steps - rise)
