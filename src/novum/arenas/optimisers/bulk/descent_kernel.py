"""A rule descends a quadratic, compiled: the gradients of its steps, its updates, what is left of the loss."""

from __future__ import annotations

import math
from typing import Any

from novum.arenas.optimisers.bulk.update_kernel import execute, squares
from novum.symbolic.compiling import compiled

FAR = 1e8
"""Root mean square of the weights that have run away."""
LOOKS = 10
"""Steps between two looks whether they have."""
G, W, U, T = range(4)
"""What the places of `given` hold: registers of gradient, weights, update, number of the step (-1: none)."""


@compiled
def gradient(found: Any, away: Any, rows: Any, shifts: Any, curvature: Any, line: Any, n: int) -> None:
    """Of the mean over a batch. away: weights minus truth; rows, shifts: (batch, n); line: room for n numbers."""
    for j in range(n * n):
        found[j] = 0.0
    for one in range(len(rows)):
        for j in range(n):
            line[j] = 0.0
            line[n + j] = shifts[one, j]
        for i in range(n):
            x, part = rows[one, i], away[i * n : (i + 1) * n]
            for j in range(n):
                line[j] += x * part[j]
        for i in range(n):
            x, part = line[i], curvature[i * n : (i + 1) * n]
            for j in range(n):
                line[n + j] += x * part[j]
        for i in range(n):
            x, part = rows[one, i] / len(rows), found[i * n : (i + 1) * n]
            for j in range(n):
                part[j] += x * line[n + j]


@compiled
def remaining(away: Any, inputs: Any, curvature: Any, n: int, line: Any) -> float:
    """The expected loss: sum over the rows r of inputs away of r curvature r'."""
    total = 0.0
    for one in range(n):
        for j in range(n):
            line[j] = 0.0
        for i in range(n):
            x, part = inputs[one * n + i], away[i * n : (i + 1) * n]
            for j in range(n):
                line[j] += x * part[j]
        for i in range(n):
            for j in range(n):
                total += line[i] * curvature[i * n + j] * line[j]
    return total


@compiled
def descend(cells: Any, code: Any, given: Any, task: Any, sizes: Any, room: Any, n: int) -> float:
    """The loss after len(sizes) steps from zero over that of zero; infinite where the weights run away.

    code: words, constants, bounds of setup and step. task: inputs, truth, curvature of the outputs, rows and shifts
    (steps, batch, n). sizes: the learning rate of each step. room: (2, at least n * n), the weights minus the truth.
    """
    words, constants, bounds = code
    inputs, truth, curvature, rows, shifts = task
    away, line = room[0], room[1]
    cells[:] = 0.0
    for j in range(n * n):
        away[j] = -truth[j]
    first = remaining(away, inputs, curvature, n, line)
    parts = len(bounds) - 1
    if parts > 1:
        execute(cells, words, constants, bounds[0], bounds[1], n)
    for step in range(len(sizes)):
        gradient(cells[given[G]], away, rows[step], shifts[step], curvature, line, n)
        weights = cells[given[W]]
        for j in range(n * n):
            weights[j] = away[j] + truth[j]
        if given[T] >= 0:
            cells[given[T], 0] = step + 1.0
        execute(cells, words, constants, bounds[parts - 1], bounds[parts], n)
        update = cells[given[U]]
        for j in range(n * n):
            away[j] -= sizes[step] * update[j]
        if step % LOOKS == 0 and not squares(away, 0, n * n, 1) < FAR * FAR * n * n:
            return math.inf
    found = remaining(away, inputs, curvature, n, line) / first
    return found if found == found else math.inf
