"""One life of a program on a task, compiled: predict, and learn, example by example."""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled
from novum.symbolic.kernel import ZERO, L, execute

ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
X, Y, SCORED, MATRIX, VECTOR, SCRATCH, SIZE = range(7)
"""What the places of `where` hold: addresses of the example, label, scored register, W, w and scratch; features."""
ABSENT = np.uint64(2**63)
"""The address of a register that a language has not."""


@compiled
def begin(cells: Any, where: Any, first: Any) -> None:
    """All registers at zero but W, and w, which is the first row of W's first value."""
    cells[:] = 0.0
    length = where[SIZE] * L
    if where[MATRIX] != ABSENT:
        for j in range(where[SIZE] * length):
            cells[where[MATRIX] + j] = first[j]
    if where[VECTOR] != ABSENT:
        for j in range(length):
            cells[where[VECTOR] + j] = first[j]


@compiled
def live(
    cells: Any, words: Any, constants: Any, bounds: Any, where: Any, examples: Any, labels: Any, plan: Any, said: Any
) -> None:
    """Go through steps plan[0] to plan[1]; learn before step plan[2]; from plan[3] on write what was predicted.

    examples: (steps, n * L) flat, labels: (steps, L) flat. said: (scored, width, L) flat. plan[4]: its width times L.
    """
    n, scratch = where[SIZE], where[SCRATCH]
    length, width = n * L, plan[4]
    for t in range(plan[0], plan[1]):
        for j in range(length):
            cells[where[X] + j] = examples[t * length + j]
        execute(cells, words, constants, bounds[ONE], bounds[TWO], n, scratch)
        if t >= plan[3]:
            for j in range(width):
                said[(t - plan[3]) * width + j] = cells[where[SCORED] + j]
        if t < plan[2]:
            for k in range(L):
                cells[where[Y] + k] = labels[t * L + k]
            execute(cells, words, constants, bounds[TWO], bounds[THREE], n, scratch)


@compiled
def whole_life(
    cells: Any,
    words: Any,
    constants: Any,
    bounds: Any,
    where: Any,
    examples: Any,
    labels: Any,
    first: Any,
    plan: Any,
    said: Any,
) -> None:
    """Set up, then `live`."""
    begin(cells, where, first)
    execute(cells, words, constants, bounds[ZERO], bounds[ONE], where[SIZE], where[SCRATCH])
    live(cells, words, constants, bounds, where, examples, labels, plan, said)
