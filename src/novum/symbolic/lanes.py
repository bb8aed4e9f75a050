"""Eight numbers at a time, in registers of the CPU: loads come before stores, so that nothing can overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled

ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN = (np.uint64(at) for at in range(1, 8))
NOUGHT = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@compiled
def load(cells: Any, at: Any) -> Any:
    """The eight numbers from address `at` on."""
    low = cells[at], cells[at + ONE], cells[at + TWO], cells[at + THREE]
    high = cells[at + FOUR], cells[at + FIVE], cells[at + SIX], cells[at + SEVEN]
    return low + high


@compiled
def store(cells: Any, at: Any, x: Any) -> None:
    """Write eight numbers from address `at` on."""
    cells[at], cells[at + ONE], cells[at + TWO], cells[at + THREE] = x[0], x[1], x[2], x[3]
    cells[at + FOUR], cells[at + FIVE], cells[at + SIX], cells[at + SEVEN] = x[4], x[5], x[6], x[7]


@compiled
def mul(x: Any, y: Any) -> Any:
    """By element."""
    low = x[0] * y[0], x[1] * y[1], x[2] * y[2], x[3] * y[3]
    high = x[4] * y[4], x[5] * y[5], x[6] * y[6], x[7] * y[7]
    return low + high


@compiled
def add(x: Any, y: Any) -> Any:
    """By element."""
    low = x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]
    high = x[4] + y[4], x[5] + y[5], x[6] + y[6], x[7] + y[7]
    return low + high
