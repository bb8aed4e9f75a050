"""Regularised evolution of programs (Real et al. 2019, arXiv 1802.01548), compiled as a whole.

No program is lived twice: dead code is left out first, what is left is known by its fingerprint, and programs that say
the same on the first examples are taken for the same (functional equivalence, arXiv 2003.03384, section 3.2). What is
not finite on these is not looked at any further.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from novum.arenas.programs.episode_kernel import SCRATCH, SIZE, begin, live
from novum.symbolic.compiling import compiled
from novum.symbolic.evolution_kernel import (
    BASIS,
    ONE,
    PRIME,
    assemble,
    draw_line,
    find_effective,
    mutate,
    uniform,
    winner,
)
from novum.symbolic.kernel import ZERO, L, execute
from novum.symbolic.offspring_kernel import copy_program

LARGEST = 1e6
"""Of what a program says on the first examples."""
STEPS = 1e7
"""Differences that count, per unit, where programs are compared by what they say."""
LIVED, REPEATED, EQUIVALENT, HOPELESS = range(4)
"""What counts[] counts: programs lived to the end, found by fingerprint, by what they say, and given up early."""
LANES = int(L)
SQUARED, SIGN = 0, 1


@compiled
def fitness_of(said: Any, truth: Any, width: int, rows: int, kind: int) -> float:
    """The mean over lanes of what `score.fitness` says."""
    total = 0.0
    for k in range(LANES):
        wrong = opposite = 0.0
        for j in range(rows * width):
            x, y = said[j * LANES + k], truth[j * LANES + k]
            if kind == SQUARED:
                wrong += (x - y) * (x - y)
            elif kind == SIGN:
                wrong += 1.0 if x * y > 0 else 0.0
            else:
                wrong += (x - y) * (x - y)
                opposite += (x + y) * (x + y)
        if kind == SQUARED:
            total += 1.0 - 2.0 / math.pi * math.atan(math.sqrt(wrong / rows))
        elif kind == SIGN:
            total += wrong / rows
        else:
            total += max(0.0, 1.0 - min(wrong, opposite) / 2.0)
    return total / LANES if total == total else 0.0


@compiled
def fingerprint(said: Any, length: Any) -> Any:
    """Of what was said on the first examples; 0 where it is not finite or too large."""
    print_ = BASIS
    for j in range(length):
        if not abs(said[j]) < LARGEST:
            return ZERO
        print_ = (print_ ^ np.uint64(np.int64(said[j] * STEPS))) * PRIME
    return print_ | ONE


@compiled
def remembered(keys: Any, values: Any, key: Any) -> float:
    """The fitness under a key; -1 where it is not known."""
    at = (key >> ONE) % np.uint64(len(keys))
    return values[at] if keys[at] == key else -1.0


@compiled
def remember(keys: Any, values: Any, key: Any, value: float) -> None:
    """Keep a fitness; it may take the place of another."""
    at = (key >> ONE) % np.uint64(len(keys))
    keys[at] = key
    values[at] = value


@compiled
def lived(
    cells: Any, code: Any, where: Any, data: Any, plans: Any, said: Any, keys: Any, values: Any, counts: Any, kind: int
) -> float:
    """The fitness of assembled code: first on a few examples, then on the rest. plans: of both, and both widths."""
    words, constants, bounds = code
    examples, labels, first, truth = data
    begin(cells, where, first)
    execute(cells, words, constants, bounds[0], bounds[1], where[SIZE], where[SCRATCH])
    live(cells, words, constants, bounds, where, examples, labels, plans[0], said)
    key = fingerprint(said, plans[0, 1] * plans[0, 4])
    if key == ZERO:
        counts[HOPELESS] += 1
        return 0.0
    known = remembered(keys, values, key)
    if known >= 0.0:
        counts[EQUIVALENT] += 1
        return known
    live(cells, words, constants, bounds, where, examples, labels, plans[1], said)
    counts[LIVED] += 1
    width = int(plans[1, 4] // L)
    found = fitness_of(said, truth, width, len(truth) // (width * LANES), kind)
    remember(keys, values, key, found)
    return found


@compiled
def evolve(
    children: int,
    state: Any,
    population: Any,
    language: Any,
    code: Any,
    where: Any,
    machine: Any,
    data: Any,
    memory: Any,
    plans: Any,
    settings: Any,
) -> int:
    """Make `children` programs, or until settings[2] is reached; returns how many.

    population: raw (P + 1, slots, 4), constants, constants as bits, fitness (P + 1), effective (slots), age (1); its
    last row is the best program ever. settings: tournament, share of children that are mutated, fitness to stop at,
    kind, whether programs are drawn at random instead.
    """
    raw, constants, bits, fitness, effective, oldest = population
    parts, masks, ops, usable, kinds = language
    cells, addresses, said = machine
    keys, values, counts = memory
    size = len(fitness) - 1
    for born in range(children):
        place = oldest[0]
        if settings[4] > 0:
            for slot in range(raw.shape[1]):
                draw_line(state, raw[place], constants[place], slot, ops, usable, kinds)
        else:
            parent = winner(state, fitness[:size], int(settings[0]))
            copy_program(raw, constants, parent, place)
            if uniform(state) < settings[1]:
                mutate(state, raw[place], constants[place], parts, ops, usable, kinds)
        find_effective(raw[place], parts, masks, ops, effective)
        key = assemble(
            raw[place], constants[place], bits[place], parts, effective, addresses, code[0], code[1], code[2]
        )
        found = remembered(keys, values, key)
        if found >= 0.0:
            counts[REPEATED] += 1
        else:
            found = lived(cells, code, where, data, plans, said, keys, values, counts, int(settings[3]))
            remember(keys, values, key, found)
        fitness[place] = found
        oldest[0] = (place + 1) % size
        if found > fitness[size]:
            fitness[size] = found
            copy_program(raw, constants, place, size)
            if found > settings[2]:
                return born + 1
    return children
