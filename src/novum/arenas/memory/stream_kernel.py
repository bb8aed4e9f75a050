"""A rule meets a stream, compiled: set up, write every pair, read every question, name the nearest value."""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled
from novum.symbolic.kernel import ZERO, L, execute
from novum.symbolic.lanes import NOUGHT, add, load, mul

K, V, Q, ANSWER, SCRATCH, SIZE = range(6)
"""What the places of `where` hold: addresses of key, value, question, answer and scratch; numbers of a vector."""
LANES = int(L)


@compiled
def place(cells: Any, target: Any, source: Any, row: Any, length: Any) -> None:
    """A row of `source` into memory."""
    for j in range(length):
        cells[target + j] = source[row * length + j]


@compiled
def nearest(cells: Any, answer: Any, codebook: Any, values: Any, length: Any, best: Any, guesses: Any, at: Any) -> None:
    """The value of the largest inner product with the answer, for each lane; the first of equal ones."""
    for k in range(LANES):
        best[k] = -np.inf
        guesses[at + k] = 0
    for one in range(values):
        total = NOUGHT
        for f in range(ZERO, length, L):
            total = add(total, mul(load(codebook, one * length + f), load(cells, answer + f)))
        for k, x in enumerate(total):
            if x > best[k]:
                best[k] = x
                guesses[at + k] = one


@compiled
def written(cells: Any, code: Any, where: Any, keys: Any, values: Any, writes: Any) -> None:
    """All registers at zero, then setup and writes. keys, values: (writes, d * L) flat."""
    words, constants, bounds = code
    n, scratch = where[SIZE], where[SCRATCH]
    cells[:] = 0.0
    execute(cells, words, constants, bounds[0], bounds[1], n, scratch)
    for t in range(writes):
        place(cells, where[K], keys, t, n * L)
        place(cells, where[V], values, t, n * L)
        execute(cells, words, constants, bounds[1], bounds[2], n, scratch)


@compiled
def recalled(
    cells: Any, code: Any, where: Any, questions: Any, asked: Any, codebook: Any, values: Any, best: Any, guesses: Any
) -> None:
    """Ask every question; guesses: (asked, L) flat."""
    words, constants, bounds = code
    n, scratch = where[SIZE], where[SCRATCH]
    for t in range(asked):
        place(cells, where[Q], questions, t, n * L)
        execute(cells, words, constants, bounds[2], bounds[3], n, scratch)
        nearest(cells, where[ANSWER], codebook, values, n * L, best, guesses, t * L)


@compiled
def read_back(cells: Any, code: Any, where: Any, questions: Any, asked: Any, said: Any) -> None:
    """As `recalled`, but what is read itself; said: (asked, d * L) flat."""
    words, constants, bounds = code
    n, scratch = where[SIZE], where[SCRATCH]
    length = n * L
    for t in range(asked):
        place(cells, where[Q], questions, t, length)
        execute(cells, words, constants, bounds[2], bounds[3], n, scratch)
        for j in range(length):
            said[t * length + j] = cells[where[ANSWER] + j]


@compiled
def right(guesses: Any, answers: Any, length: int) -> int:
    """How many guesses are right."""
    count = 0
    for j in range(length):
        count += guesses[j] == answers[j]
    return count
