"""Memorization of MAD: a fixed map from keys to values, which only the parameters can hold."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import neighbour, other_seed
from novum.arenas.sequence.tasks.sampling import all_scored, rng_of
from novum.arenas.sequence.tasks.task import Batch, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Memorization:
    """Memorization of MAD, Poli et al. (arXiv 2403.17844).

    Tokens: keys 0..K-1 with K = (V-1) // 2, values K..V-2, and V-1 that asks. Each key has one value, different keys
    have different ones: a random map that depends on `map_seed` and V alone, the same in training and scoring. T/2
    uniform keys are each followed by V-1, which is labelled with the value; no value is ever shown.

    Published: V = 256, T = 32, 256 training sequences. Here the sequences are drawn anew, the map is not.
    """

    length: Annotated[int, Ge(2), Le(1 << 16)] = 32
    vocabulary: Annotated[int, Ge(5), Le(1 << 16)] = 64
    map_seed: Annotated[int, Ge(0), Le((1 << 32) - 1)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.length % 2:
            raise StudyError(f"memorization: length must be even (key, question), not {self.length}")

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length // 2

    @property
    def chance(self) -> float:
        return 1.0 / ((self.vocabulary - 1) // 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        value_K = _map(self.map_seed, self.vocabulary)
        key_BxQ = rng.integers(0, len(value_K), (rows, self.queries))
        tokens = np.full((rows, self.length), self.vocabulary - 1, dtype=np.int64)
        tokens[:, 0::2] = key_BxQ
        return all_scored(tokens, np.tile(np.arange(1, self.length, 2), (rows, 1)), value_K[key_BxQ])

    def variant(self, role: Role) -> Memorization:
        """Gate and final: another map each."""
        gate, final = ([{"map_seed": other_seed(self.map_seed, one)}] for one in (Role.GATE, Role.FINAL))
        return neighbour(self, role, gate, final)


@lru_cache(maxsize=64)
def _map(seed: int, vocabulary: int) -> Ints:
    """The value of each key, [K]."""
    keys = (vocabulary - 1) // 2
    value_K = keys + rng_of("memorization", vocabulary, seed).permutation(vocabulary - 1 - keys)[:keys]
    value_K.setflags(write=False)
    return value_K
