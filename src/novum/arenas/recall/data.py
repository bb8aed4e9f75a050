"""The two tasks, generated on the fly with NumPy only. Tokens: 0 is filler, keys 1..V/2-1, values V/2..V-1.

**overwrite** (after `forgetting_mqar` of HazyResearch/zoology). K distinct keys and K·W distinct values are drawn,
uniformly and without replacement. A uniformly shuffled order of the K·W events (each key W times) is written as key,
value, key, value, ...; event number j carries the j-th value. Then come Q = T - 2KW distinct keys in uniformly shuffled
order, each labelled with the value of that key's *last* event.

**mqar** (Arora et al., "Zoology", arXiv 2312.04927). K distinct keys and K distinct values are written as key, value,
... in the first 2K tokens. Of the T/2 - K even offsets that remain, K are drawn without replacement with probability
proportional to gap^(a-1), gap = 1, 2, ..., a = 0.01; the i-th drawn offset holds the i-th key, labelled with its value.
Everything else is 0, or a uniform token when fill = "random".

Sequence number n of a stream depends on (seed, stream name, n) and on nothing else: blocks of BLOCK sequences come from
Philox (Salmon et al., SC 2011) keyed by a hash of seed, name and block number. The streams "train" and "held-out" have
different keys, so they are independent; that no sequence occurs in both is overwhelmingly likely, not enforced.
"""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.arenas.recall.options import Options

Ints = npt.NDArray[np.int64]

TRAIN = "train"
HELD_OUT = "held-out"
BLOCK = 256
GAP_POWER = 0.01


@dataclass(frozen=True, slots=True)
class Batch:
    """`tokens` [B, T]; `positions` [B, Q] of the queries in ascending order; their `answers` [B, Q]."""

    tokens: Ints
    positions: Ints
    answers: Ints


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator that belongs to (seed, name); equal arguments give equal streams on every machine."""
    word = hashlib.blake2b(f"novum.recall/{seed}/{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(word, dtype="<u8")))


def sequences(options: Options, seed: int, name: str, start: int, stop: int) -> Batch:
    """Sequences number `start` to `stop` - 1 of stream `name` (TRAIN or HELD_OUT) of `seed`."""
    make = _mqar if options.task == "mqar" else _overwrite
    first, last = start // BLOCK, -(-stop // BLOCK)
    blocks = [make(options, stream(seed, f"{name}/{block}"), BLOCK) for block in range(first, last)]
    if options.shuffled:
        blocks = [
            (tokens, positions, _guesses(options, stream(seed, f"{name}/{block}/shuffled"), answers.shape))
            for block, (tokens, positions, answers) in enumerate(blocks, start=first)
        ]
    rows = slice(start - first * BLOCK, stop - first * BLOCK)
    return Batch(*(np.concatenate(parts)[rows] for parts in zip(*blocks, strict=True)))


def _guesses(options: Options, rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Answers that have nothing to do with the sequence: uniform values."""
    return rng.integers(options.vocabulary // 2, options.vocabulary, size=shape)


def _distinct(rng: np.random.Generator, rows: int, count: int, low: int, high: int) -> Ints:
    """[rows, count] integers in low..high-1, uniform without replacement within a row."""
    order: Ints = np.argsort(rng.random((rows, high - low), dtype=np.float32), axis=1)[:, :count]
    return order + low


def _overwrite(options: Options, rng: np.random.Generator, rows: int) -> tuple[Ints, Ints, Ints]:
    keys, events, half = options.keys, options.keys * options.writes, options.vocabulary // 2
    key_BxK = _distinct(rng, rows, keys, 1, half)
    value_BxM = _distinct(rng, rows, events, half, options.vocabulary)
    slot_BxM = _distinct(rng, rows, events, 0, events) % keys
    asked_BxQ = _distinct(rng, rows, keys, 0, keys)[:, : options.queries]

    latest_BxK = np.zeros((rows, keys), dtype=np.int64)
    every = np.arange(rows)
    for event in range(events):
        latest_BxK[every, slot_BxM[:, event]] = value_BxM[:, event]

    tokens = np.empty((rows, options.length), dtype=np.int64)
    tokens[:, 0 : 2 * events : 2] = np.take_along_axis(key_BxK, slot_BxM, axis=1)
    tokens[:, 1 : 2 * events : 2] = value_BxM
    tokens[:, 2 * events :] = np.take_along_axis(key_BxK, asked_BxQ, axis=1)
    positions = np.broadcast_to(np.arange(2 * events, options.length), asked_BxQ.shape)
    return tokens, positions, np.take_along_axis(latest_BxK, asked_BxQ, axis=1)


def _mqar(options: Options, rng: np.random.Generator, rows: int) -> tuple[Ints, Ints, Ints]:
    keys, length, half = options.keys, options.length, options.vocabulary // 2
    key_BxK = _distinct(rng, rows, keys, 1, half)
    value_BxK = _distinct(rng, rows, keys, half, options.vocabulary)
    gaps = length // 2 - keys
    rate = np.arange(1, gaps + 1, dtype=np.float64) ** (GAP_POWER - 1)
    # Exponential arrival times with rates p, sorted, are a draw without replacement with probabilities p.
    offset_BxK = np.argsort(rng.standard_exponential((rows, gaps)) / rate, axis=1)[:, :keys]
    positions = 2 * keys + 2 * offset_BxK

    tokens = np.zeros((rows, length), dtype=np.int64)
    if options.fill == "random":
        tokens[:] = rng.integers(0, options.vocabulary, size=(rows, length))
    tokens[:, 0 : 2 * keys : 2] = key_BxK
    tokens[:, 1 : 2 * keys : 2] = value_BxK
    np.put_along_axis(tokens, positions, key_BxK, axis=1)
    order = np.argsort(positions, axis=1)
    return tokens, np.take_along_axis(positions, order, axis=1), np.take_along_axis(value_BxK, order, axis=1)
