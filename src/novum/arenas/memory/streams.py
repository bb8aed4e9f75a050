"""The streams, made from a seed: what is written, what is asked, and the right answers.

Everything has LANES independent streams side by side. Keys and values have length 1; the nearest value is then the one
of the largest inner product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novum.arenas.memory.options import PARTS, Options, Part
from novum.core.model.trial import Role
from novum.symbolic.machine import LANES

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SHARE, REWRITES = 0.25, 6
"""Of the regime `rewritten`: of the share of keys that are written again, those that are, and how often each."""


@dataclass(frozen=True, eq=False)
class Cell:
    """Streams of one regime and load. keys, values: (writes, d, LANES). questions: (n, d, LANES).

    codebook: (V, d, LANES). answers: (n, LANES) places in the codebook.
    """

    regime: str
    load: float
    keys: Floats
    values: Floats
    questions: Floats
    codebook: Floats
    answers: Indices

    @property
    def size(self) -> int:
        """Numbers of a key."""
        return int(self.keys.shape[1])


def loads(part: Part) -> list[float]:
    """Of a trial: n/d at the midpoints of equal parts, so that the mean over them is an area (midpoint rule)."""
    return [part.most * (at + 0.5) / part.cells for at in range(part.cells)]


def make(options: Options, role: Role, seed: int) -> list[Cell]:
    """The streams of a trial, by regime and load. Philox, keyed by the seed."""
    rng = np.random.Generator(np.random.Philox(key=(seed, 0x6D656D6F7279)))
    part, values, width = PARTS[role], options.codebook(role), options.width(role)
    cells = []
    for regime in options.regimes:
        size = width // 2 if regime == "small" else width
        for load in loads(part):
            cells.append(cell(rng, regime, size, values, max(1, round(load * size)), part))
    return [_shuffled(rng, one) for one in cells] if options.shuffled else cells


def cell(rng: np.random.Generator, regime: str, size: int, values: int, pairs: int, part: Part) -> Cell:
    """Streams of n pairs, the further writes of their regime in order.

    correlated: keys have a common part. overwritten: after all, some keys are written again with another value.
    rewritten: all pairs in random order, few of them REWRITES times more with other values; the last is right. noisy:
    random pairs between the others, at random places. drifting: all pairs are written twice, the second time and when
    they are asked for under a key that has moved.
    """
    codebook, keys = _unit(rng, values, size), _unit(rng, pairs, size)
    if regime == "correlated":
        keys = _scaled(np.sqrt(1 - part.shared) * keys + np.sqrt(part.shared) * _unit(rng, 1, size))
    answers = rng.integers(values, size=(pairs, LANES))
    written, said, questions = keys, answers, keys
    if regime == "overwritten":
        again = rng.permutation(pairs)[: round(part.again * pairs)]
        fresh = rng.integers(values, size=(len(again), LANES))
        written, said = np.concatenate([keys, keys[again]]), np.concatenate([answers, fresh])
        answers = answers.copy()
        answers[again] = fresh
    elif regime == "rewritten":
        often = rng.permutation(pairs)[: max(1, round(SHARE * part.again * pairs))]
        order = rng.permutation(np.concatenate([np.arange(pairs), np.tile(often, REWRITES)]))
        written, said = keys[order], rng.integers(values, size=(len(order), LANES))
        for key, value in zip(order, said, strict=True):
            answers[key] = value
    elif regime == "noisy":
        noise = round(part.noise * pairs)
        order = rng.permutation(pairs + noise)
        written = np.concatenate([keys, _unit(rng, noise, size)])[order]
        said = np.concatenate([answers, rng.integers(values, size=(noise, LANES))])[order]
    elif regime == "drifting":
        questions = _scaled(part.kept * keys + np.sqrt(1 - part.kept**2) * _unit(rng, pairs, size))
        written, said = np.concatenate([keys, questions]), np.concatenate([answers, answers])
    lanes = np.arange(LANES)
    values_written = codebook[said, :, lanes].transpose(0, 2, 1)
    return Cell(regime, pairs / size, written, np.ascontiguousarray(values_written), questions, codebook, answers)


def _unit(rng: np.random.Generator, rows: int, size: int) -> Floats:
    """Random directions, (rows, size, LANES)."""
    return _scaled(rng.normal(size=(rows, size, LANES)))


def _scaled(x: Floats) -> Floats:
    return np.asarray(x / np.sqrt((x**2).sum(1, keepdims=True)))


def _shuffled(rng: np.random.Generator, one: Cell) -> Cell:
    """Answers drawn anew."""
    answers = rng.integers(one.codebook.shape[0], size=one.answers.shape)
    return Cell(one.regime, one.load, one.keys, one.values, one.questions, one.codebook, answers)
