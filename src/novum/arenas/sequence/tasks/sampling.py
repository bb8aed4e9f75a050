"""Random parts of sequences, drawn for all rows at once: draws without replacement, labels of next tokens, automata."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from novum.arenas.sequence.tasks.task import Batch, Bools, Ints

Floats = npt.NDArray[np.float64]

HALF = np.uint64(32)


def distinct(rng: np.random.Generator, rows: int, count: int, low: int, high: int) -> Ints:
    """[rows, count] integers in low..high-1, uniform without replacement within a row, in random order.

    Small pools are sorted whole; of large ones the first `count` steps of a Fisher-Yates shuffle are taken. The
    threshold is where the two took the same time. Either is exact up to the 24 random bits of a small pool.
    """
    pool = high - low
    if pool <= count * (4 + 250 // rows):
        return _sorted_pool(rng, rows, count, pool) + low
    return _partial_shuffle(rng, rows, count, pool) + low


def _sorted_pool(rng: np.random.Generator, rows: int, count: int, pool: int) -> Ints:
    """Sorts random words that carry their index in the low bits: no ties, so that all machines agree on the order."""
    wide = pool > 256
    kind: type[np.unsignedinteger] = np.uint64 if wide else np.uint32
    low = kind((1 << (pool - 1).bit_length()) - 1)
    words: npt.NDArray[np.unsignedinteger] = rng.integers(0, 2 ** (64 if wide else 32), (rows, pool), dtype=kind)
    words &= ~low
    words |= np.arange(pool, dtype=kind)
    words.sort(axis=1)
    return (words[:, :count] & low).astype(np.int64)


def _partial_shuffle(rng: np.random.Generator, rows: int, count: int, pool: int) -> Ints:
    deck_PB = np.repeat(np.arange(pool), rows)  # item i of row r at i * rows + r, so that a step reads whole lines
    swaps_CxB = below(rng, np.arange(pool, pool - count, -1)[:, None], (count, rows)) + np.arange(count)[:, None]
    swaps_CxB = swaps_CxB * rows + np.arange(rows)
    drawn_CxB = np.empty((count, rows), dtype=np.int64)
    for step, swap_B in enumerate(swaps_CxB):
        drawn_CxB[step] = deck_PB[swap_B]
        deck_PB[swap_B] = deck_PB[step * rows : (step + 1) * rows]
    return np.ascontiguousarray(drawn_CxB.T)


def below(rng: np.random.Generator, bounds: Ints, shape: tuple[int, ...]) -> Ints:
    """Integers of `shape`, uniform in 0..bound-1 for each of the broadcast bounds, each at most 2^32.

    A random word of 32 bits times the bound, without the lowest 32 bits: six times faster than a rejection per bound,
    and never off by more than bound / 2^32.
    """
    words = rng.integers(0, 2**32, shape, dtype=np.uint32).astype(np.uint64)
    return ((words * bounds.astype(np.uint64)) >> HALF).view(np.int64)


def power_law_gaps(rng: np.random.Generator, rows: int, count: int, space: int, power: float) -> Ints:
    """[rows, count] of 0..space-1 without replacement with probability proportional to (gap + 1)^(power - 1).

    In the order drawn: exponential arrival times with rates p, sorted, are successive draws with probabilities p.
    """
    rate = np.arange(1, space + 1, dtype=np.float64) ** (power - 1)
    order: Ints = np.argsort(rng.standard_exponential((rows, space)) / rate, axis=1)
    return order[:, :count]


def in_order(positions_BxQ: Ints, answers_BxQ: Ints) -> tuple[Ints, Ints]:
    """Positions in ascending order, and the answers that belong to them."""
    order = np.argsort(positions_BxQ, axis=1)
    return np.take_along_axis(positions_BxQ, order, axis=1), np.take_along_axis(answers_BxQ, order, axis=1)


def first_place(ids_BxN: Ints) -> Ints:
    """For each column the first one of its row with the same id, [B, N]; ids are at least 0 and below 2^63 / 2N."""
    columns = ids_BxN.shape[1]
    bits = columns.bit_length()
    packed: Ints = (ids_BxN << bits) | np.arange(columns)
    packed.sort(axis=1)
    column_BxN, group_BxN = packed & ((1 << bits) - 1), packed >> bits
    heads = np.zeros_like(packed)
    heads[:, 1:] = (group_BxN[:, 1:] != group_BxN[:, :-1]) * np.arange(1, columns)
    np.maximum.accumulate(heads, axis=1, out=heads)
    every = np.arange(len(packed))[:, None]
    found = np.empty_like(packed)
    found[every, column_BxN] = column_BxN[every, heads]
    return found


def one_of(rng: np.random.Generator, flags_BxN: Bools) -> Ints:
    """A column of each row, uniform among those that are flagged; every row has one."""
    found: Ints = np.where(flags_BxN, rng.random(flags_BxN.shape), -1.0).argmax(axis=1)
    return found


def next_tokens(tokens_BxT1: Ints, scored_BxT: Bools | None = None) -> Batch:
    """T+1 tokens as T inputs, each labelled with the token after it; without `scored` all count."""
    rows, length = tokens_BxT1.shape[0], tokens_BxT1.shape[1] - 1
    positions = np.tile(np.arange(length), (rows, 1))
    scored = np.ones((rows, length), dtype=np.bool_) if scored_BxT is None else scored_BxT
    return Batch(np.ascontiguousarray(tokens_BxT1[:, :-1]), positions, np.ascontiguousarray(tokens_BxT1[:, 1:]), scored)


def all_scored(tokens_BxT: Ints, positions_BxQ: Ints, answers_BxQ: Ints) -> Batch:
    """A batch in which every labelled position counts."""
    return Batch(tokens_BxT, positions_BxQ, answers_BxQ, np.ones(answers_BxQ.shape, dtype=np.bool_))


def run_automaton(table_SxA: Ints, start: int, symbols_BxN: Ints) -> Ints:
    """States of a finite automaton after each symbol, [B, N]; `table` [states, symbols] says which state follows."""
    flat, width = table_SxA.ravel(), table_SxA.shape[1]
    symbols_NxB = np.ascontiguousarray(symbols_BxN.T)
    states_NxB = np.empty_like(symbols_NxB)
    state_B = np.full(symbols_NxB.shape[1], start, dtype=np.int64)
    for step, symbol_B in enumerate(symbols_NxB):
        state_B = flat[state_B * width + symbol_B]
        states_NxB[step] = state_B
    return np.ascontiguousarray(states_NxB.T)


def alias_tables(chances_SxV: Floats) -> tuple[Floats, Ints]:
    """Tables [S, V] to draw from S distributions in constant time (Walker's alias method); for `draw`.

    A uniform one of V cells is kept with the probability in the first table, else it stands for the symbol in the
    second.
    """
    states, symbols = chances_SxV.shape
    every = np.arange(states)
    left = chances_SxV * symbols
    keep, other = np.ones_like(left), np.tile(np.arange(symbols), (states, 1))
    done = np.zeros(left.shape, dtype=np.bool_)
    for _ in range(symbols - 1):  # the poorest cell is filled up by the richest
        poor = np.where(done, np.inf, left).argmin(axis=1)
        rich = np.where(done, -np.inf, left).argmax(axis=1)
        keep[every, poor] = np.minimum(left[every, poor], 1.0)
        other[every, poor] = rich
        left[every, rich] -= 1.0 - keep[every, poor]
        done[every, poor] = True
    return keep, other


def split_uniform(rng: np.random.Generator, symbols: int, shape: tuple[int, ...]) -> tuple[Ints, Floats]:
    """Uniform cells 0..symbols-1 and independent uniform numbers in [0, 1), for `draw`."""
    scaled = rng.random(shape) * symbols
    cell = scaled.astype(np.int64)
    scaled -= cell
    return cell, scaled


def draw(tables: tuple[Floats, Ints], state_B: Ints, cell_B: Ints, uniform_B: Floats) -> Ints:
    """A symbol of each state's distribution, [B]."""
    keep, other = tables
    place_B = state_B * keep.shape[1] + cell_B
    return np.where(uniform_B < keep.ravel()[place_B], cell_B, other.ravel()[place_B])


def rng_of(*words: object) -> np.random.Generator:
    """The generator of a fixed part of a task (a graph, a table); equal words give equal streams on every machine."""
    key = hashlib.blake2b("/".join(map(str, ("novum.sequence", *words))).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, dtype="<u8")))
