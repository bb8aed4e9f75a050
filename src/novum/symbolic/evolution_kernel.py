"""What evolution does to programs, compiled: random lines, mutation, dead code, machine code with a fingerprint.

A program is raw[slots, 4] of operation, out, a, b (operation -1: an empty slot; registers by their number in the
language) and constants[slots]; each component has its own slots. `language_tables.Tables` describes the language.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled

ONE, SHIFT_A, SHIFT_B, SHIFT_C = np.uint64(1), np.uint64(12), np.uint64(25), np.uint64(27)
MIX, PRIME, BASIS = np.uint64(0x2545F4914F6CDD1D), np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
TOP = np.uint64(11)
UNIT = 1.0 / 9007199254740992.0
ALTER, REPLACE, REMOVE, RENEW = 0.34, 0.67, 0.67, 1.0
"""Cumulated shares of the kinds of mutation."""


@compiled
def uniform(state: Any) -> float:
    """The next number in [0, 1): xorshift64* (Vigna 2016, arXiv 1402.6246); state: one uint64 that is not zero."""
    x = state[0]
    x ^= x >> SHIFT_A
    x ^= x << SHIFT_B
    x ^= x >> SHIFT_C
    state[0] = x
    return float((x * MIX) >> TOP) * UNIT


@compiled
def below(state: Any, count: Any) -> int:
    """A whole number from 0 to count - 1."""
    return int(uniform(state) * count)


@compiled
def draw_register(state: Any, kinds: Any, kind: Any) -> int:
    """A register of a kind. kinds[k]: the first register of kind k, and how many there are."""
    return int(kinds[kind, 0]) + below(state, kinds[kind, 1])


@compiled
def draw_line(state: Any, raw: Any, constants: Any, slot: Any, ops: Any, usable: Any, kinds: Any) -> None:
    """A random instruction in a slot. ops[code]: kinds of result, a and b (-1: has none), whether it has a constant."""
    code = usable[below(state, len(usable))]
    raw[slot, 0] = code
    raw[slot, 1] = draw_register(state, kinds, ops[code, 0])
    for place in range(2):
        kind = ops[code, 1 + place]
        raw[slot, 2 + place] = draw_register(state, kinds, kind) if kind >= 0 else 0
    constants[slot] = 2.0 * uniform(state) - 1.0 if ops[code, 3] else 0.0


@compiled
def alter_line(state: Any, raw: Any, constants: Any, slot: Any, ops: Any, kinds: Any) -> None:
    """Another register, or another constant, in an instruction."""
    code = raw[slot, 0]
    if ops[code, 3] and uniform(state) < 0.8:
        constants[slot] *= 2.0 ** (4.0 * uniform(state) - 2.0)
        if uniform(state) < 0.1:
            constants[slot] = -constants[slot]
        constants[slot] = min(10.0, max(-10.0, constants[slot]))
        return
    place = below(state, 3)
    while ops[code, place] < 0:
        place = below(state, 3)
    raw[slot, 1 + place] = draw_register(state, kinds, ops[code, place])


@compiled
def mutate(state: Any, raw: Any, constants: Any, parts: Any, ops: Any, usable: Any, kinds: Any) -> None:
    """One change of one component that has slots."""
    part = below(state, len(parts))
    while parts[part, 1] == parts[part, 0]:
        part = below(state, len(parts))
    start, stop = parts[part, 0], parts[part, 1]
    slot, kind = start + below(state, stop - start), uniform(state)
    if kind < ALTER and raw[slot, 0] >= 0:
        alter_line(state, raw, constants, slot, ops, kinds)
    elif kind < REPLACE:
        draw_line(state, raw, constants, slot, ops, usable, kinds)
    elif kind < REMOVE:
        raw[slot, 0] = -1
    else:
        for one in range(start, stop):
            draw_line(state, raw, constants, one, ops, usable, kinds)


@compiled
def sweep(raw: Any, start: Any, stop: Any, live: Any, ops: Any, effective: Any) -> Any:
    """Mark the instructions with effect, from stop back to start.

    live: bits of the registers that are read later; returns those that are read before.
    """
    for back in range(stop - start):
        slot = stop - 1 - back
        code = raw[slot, 0]
        effective[slot] = False
        if code >= 0 and (live >> np.uint64(raw[slot, 1])) & ONE:
            effective[slot] = True
            live &= ~(ONE << np.uint64(raw[slot, 1]))
            for place in range(2):
                if ops[code, 1 + place] >= 0:
                    live |= ONE << np.uint64(raw[slot, 2 + place])
    return live


@compiled
def find_effective(raw: Any, parts: Any, masks: Any, ops: Any, effective: Any) -> int:
    """Mark every instruction with effect; returns how many. masks[part]: bits of registers given to it, and read.

    parts[part, 2] is 1 for a component that runs once, before all others.
    """
    coming, before = np.uint64(0), ~np.uint64(0)
    while coming != before:
        before = coming
        for part in range(len(parts)):
            live = sweep(raw, parts[part, 0], parts[part, 1], masks[part, 1] | coming, ops, effective)
            if not parts[part, 2]:
                coming |= live & ~masks[part, 0]
    count = 0
    for slot in range(len(effective)):
        count += effective[slot]
    return count


@compiled
def assemble(
    raw: Any, constants: Any, bits: Any, parts: Any, effective: Any, where: Any, words: Any, values: Any, bounds: Any
) -> Any:
    """Machine code of the instructions with effect; returns its fingerprint.

    bits: the constants as whole numbers; where: addresses of the registers.
    """
    line, print_ = 0, BASIS
    for part in range(len(parts)):
        bounds[part] = line
        print_ = (print_ ^ np.uint64(part + 7)) * PRIME
        for slot in range(parts[part, 0], parts[part, 1]):
            if effective[slot]:
                words[line, 0] = raw[slot, 0]
                for place in range(1, 4):
                    words[line, place] = where[raw[slot, place]]
                values[line] = constants[slot]
                for place in range(4):
                    print_ = (print_ ^ np.uint64(raw[slot, place] + 1)) * PRIME
                print_ = (print_ ^ bits[slot]) * MIX
                print_ ^= print_ >> SHIFT_C
                line += 1
    bounds[len(parts)] = line
    return print_ | ONE


@compiled
def winner(state: Any, fitness: Any, entrants: int) -> int:
    """The best of `entrants` drawn with replacement."""
    best = below(state, len(fitness))
    for _ in range(entrants - 1):
        other = below(state, len(fitness))
        if fitness[other] > fitness[best]:
            best = other
    return best
