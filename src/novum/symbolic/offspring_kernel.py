"""A child of a program, compiled: chosen by a tournament, changed in a few places, swept of dead code, assembled.

As `evolution_kernel`, whose arrays it shares, but with insertions that keep the lines around them, removals and small
steps of constants: what long programs need that begin at a known rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from novum.symbolic.compiling import compiled
from novum.symbolic.evolution_kernel import (
    ONE,
    assemble,
    below,
    draw_line,
    draw_register,
    find_effective,
    sweep,
    uniform,
    winner,
)

INSERT, REPLACE, REMOVE, ALTER = 0.25, 0.4, 0.55, 1.0
"""Cumulated shares of the kinds of change."""
AGAIN = 0.4
"""How probable one change more is, after each."""
CONNECTED, DRAWS = 0.7, 20
"""Share of insertions that shall have an effect, and draws for each."""
CHAINED = 0.4
"""How probable it is that a line is inserted before an inserted one that writes what that one reads."""
IN_USE = 0.7
"""Share of lines drawn whose operands shall be registers in use, which hold something."""


@compiled
def copy_program(raw: Any, constants: Any, source: int, target: int) -> None:
    """One program over another."""
    for slot in range(raw.shape[1]):
        constants[target, slot] = constants[source, slot]
        for place in range(4):
            raw[target, slot, place] = raw[source, slot, place]


@compiled
def move_line(raw: Any, constants: Any, source: int, target: int) -> None:
    """A line from one slot to another."""
    constants[target] = constants[source]
    for place in range(4):
        raw[target, place] = raw[source, place]


@compiled
def insert_line(state: Any, raw: Any, constants: Any, slot: int, start: int, stop: int, language: Any) -> int:
    """A random line before that of a slot, where a slot of the component is empty; else in its place. Returns where."""
    empty = -1
    for one in range(start, stop):
        if raw[one, 0] < 0 and (empty < 0 or abs(one - slot) < abs(empty - slot)):
            empty = one
    if 0 <= empty < slot:  # the lines between move back, so that the one that was here stays behind
        slot -= 1
    while empty >= 0 and empty != slot:
        nearer = empty + (1 if slot > empty else -1)
        move_line(raw, constants, nearer, empty)
        empty = nearer
    draw_used(state, raw, constants, slot, start, language)
    if uniform(state) < CONNECTED:
        connect(state, raw, constants, slot, start, stop, language)
    return slot


@compiled
def in_use(raw: Any, start: int, language: Any) -> Any:
    """Bits of the registers that are given to the component at `start`, or named by any line."""
    parts, masks, ops, _usable, _kinds = language
    found = np.uint64(0)
    for part in range(len(parts)):
        if parts[part, 0] == start:
            found |= masks[part, 0]
    for slot in range(len(raw)):
        if raw[slot, 0] >= 0:
            for place in range(3):
                if ops[raw[slot, 0], place] >= 0:
                    found |= ONE << np.uint64(raw[slot, 1 + place])
    return found


@compiled
def draw_used(state: Any, raw: Any, constants: Any, slot: int, start: int, language: Any) -> None:
    """A random line in a slot, whose operands are mostly registers in use: others hold zero, and say nothing."""
    _parts, _masks, ops, usable, kinds = language
    raw[slot, 0] = -1
    used = in_use(raw, start, language)
    draw_line(state, raw, constants, slot, ops, usable, kinds)
    if uniform(state) >= IN_USE:
        return
    for place in range(2):
        kind = ops[raw[slot, 0], 1 + place]
        if kind >= 0:
            for _ in range(DRAWS):
                if (used >> np.uint64(raw[slot, 2 + place])) & ONE:
                    break
                raw[slot, 2 + place] = draw_register(state, kinds, kind)


@compiled
def connect(state: Any, raw: Any, constants: Any, slot: int, start: int, stop: int, language: Any) -> None:
    """Draw the line of a slot again until it writes a register that the next line reads, if that reads any.

    Effective mutations: Brameier and Banzhaf, Linear Genetic Programming, 2007, section 5.
    """
    ops = language[2]
    after = slot + 1
    while after < stop and raw[after, 0] < 0:
        after += 1
    if after == stop:
        return
    place = below(state, 2)
    wanted = ops[raw[after, 0], 1 + place]
    if wanted < 0:
        return
    for _ in range(DRAWS):
        if ops[raw[slot, 0], 0] == wanted:
            raw[slot, 1] = raw[after, 2 + place]
            return
        draw_used(state, raw, constants, slot, start, language)


@compiled
def alter(state: Any, raw: Any, constants: Any, slot: int, language: Any) -> None:
    """Another register in a line, or its constant moved: by a factor up to 4 or, as often, up to 1.1."""
    _parts, _masks, ops, _usable, kinds = language
    code = raw[slot, 0]
    if ops[code, 3] and uniform(state) < 0.9:
        width = 4.0 if uniform(state) < 0.5 else 0.28
        constants[slot] *= 2.0 ** (width * (uniform(state) - 0.5))
        if uniform(state) < 0.05:
            constants[slot] = -constants[slot]
        constants[slot] = min(10.0, max(-10.0, constants[slot]))
        return
    place = below(state, 3)
    while ops[code, place] < 0:
        place = below(state, 3)
    raw[slot, 1 + place] = draw_register(state, kinds, ops[code, place])


@compiled
def change(state: Any, raw: Any, constants: Any, language: Any) -> None:
    """One change: of a component drawn uniformly, or by its slots, as often."""
    parts = language[0]
    part, slot = below(state, len(parts)), below(state, len(raw))
    by_slot = uniform(state) < 0.5
    while parts[part, 1] == parts[part, 0] or (by_slot and not parts[part, 0] <= slot < parts[part, 1]):
        part = below(state, len(parts))
    start, stop = parts[part, 0], parts[part, 1]
    slot, kind = start + below(state, stop - start), uniform(state)
    if kind < INSERT:
        slot = insert_line(state, raw, constants, slot, start, stop, language)
        while uniform(state) < CHAINED:
            slot = insert_line(state, raw, constants, slot, start, stop, language)
    elif kind < REPLACE:
        draw_used(state, raw, constants, slot, start, language)
    elif kind < REMOVE:
        raw[slot, 0] = -1
    else:
        for _ in range(stop - start):
            if raw[slot, 0] >= 0:
                break
            slot = slot + 1 if slot + 1 < stop else start
        if raw[slot, 0] >= 0:
            alter(state, raw, constants, slot, language)


@compiled
def kept_bits(raw: Any, language: Any, effective: Any) -> Any:
    """Bits of the registers that carry something from one run of a component to a later one, after `find_effective`."""
    parts, masks, ops, _usable, _kinds = language
    coming, before, written, kept = np.uint64(0), ~np.uint64(0), np.uint64(0), np.uint64(0)
    while coming != before:
        before, kept = coming, np.uint64(0)
        for part in range(len(parts)):
            live = sweep(raw, parts[part, 0], parts[part, 1], masks[part, 1] | coming, ops, effective)
            kept |= live & ~masks[part, 0]
            if not parts[part, 2]:
                coming |= live & ~masks[part, 0]
    for slot in range(len(effective)):
        if effective[slot]:
            written |= ONE << np.uint64(raw[slot, 1])
    return kept & written


@compiled
def bear(state: Any, population: Any, language: Any, numbers: Any, code: Any, place: int, entrants: int) -> Any:
    """Write a child to `place`; returns its fingerprint and the bits of what it keeps.

    population: raw (P, slots, 4), constants, constants as bits, fitness (P), effective (slots). entrants: of the
    tournament; 0 draws the program at random. code: words (with registers by number), constants, bounds.
    """
    raw, constants, bits, fitness, effective = population
    parts, masks, ops, usable, kinds = language
    if entrants == 0:
        for slot in range(raw.shape[1]):
            draw_line(state, raw[place], constants[place], slot, ops, usable, kinds)
    else:
        copy_program(raw, constants, winner(state, fitness, entrants), place)
        change(state, raw[place], constants[place], language)
        while uniform(state) < AGAIN:
            change(state, raw[place], constants[place], language)
    find_effective(raw[place], parts, masks, ops, effective)
    words, values, bounds = code
    found = assemble(raw[place], constants[place], bits[place], parts, effective, numbers, words, values, bounds)
    return found, kept_bits(raw[place], language, effective)
