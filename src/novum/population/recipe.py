"""How the members of a population are trained. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """AdamW; a linear rise over the part `warmup` of the steps, then cosine to zero; a clip of each member's norm.

    Learning rate and weight decay are each member's own.
    """

    steps: int
    batch: int
    warmup: float = 0.1
    clip: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8


@dataclass(frozen=True, slots=True)
class Member:
    """One network of a population: `seed` fixes initial values and data."""

    seed: int
    rate: float
    weight_decay: float = 0.01


def schedule(step: int, steps: int, warmup: float) -> float:
    """The factor on the learning rate at `step` of `steps`: linear over the part `warmup`, then cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
