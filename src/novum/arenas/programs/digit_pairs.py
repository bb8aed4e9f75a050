"""Pairs of real digits, their pixels projected at random to a few features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from novum.arenas.digits.data import POOL, ROWS, images, labels
from novum.core.model.trial import Role
from novum.symbolic.machine import LANES

CLASSES = {Role.SEARCH: (0, 1, 2, 3, 4), Role.GATE: (5, 6, 7, 8, 9), Role.FINAL: (5, 6, 7, 8, 9)}
"""Digits that a trial of each role is about."""


def digit_pairs(
    rng: np.random.Generator, features: int, examples: int, scored: int, role: Role
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(examples + scored, features, LANES) and labels -1 or 1 of a pair of digits for each lane.

    Examples to learn from come from one half of the images, with replacement; those that are scored from the other.
    """
    x, y = np.empty((examples + scored, features, LANES)), np.empty((examples + scored, LANES))
    rest = np.setdiff1d(np.arange(ROWS), POOL)
    for lane in range(LANES):
        pair = rng.choice(CLASSES[role], size=2, replace=False)
        projection = rng.normal(size=(64, features)) / 8
        for rows, part in ((slice(0, examples), POOL), (slice(examples, None), rest)):
            here = part[np.isin(labels(part), pair)]
            drawn = rng.choice(here, size=examples if rows.start == 0 else scored)
            x[rows, :, lane] = (images(drawn) / 16.0 - 0.3) @ projection
            y[rows, lane] = np.where(labels(drawn) == pair[0], 1.0, -1.0)
    return x, y
