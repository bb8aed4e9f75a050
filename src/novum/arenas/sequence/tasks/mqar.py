"""Multi-query associative recall: each key of a list of key-value pairs is asked once, soon more often than late."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, distinct, in_order, power_law_gaps
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

GAP_POWER = 0.01


@dataclass(frozen=True, slots=True)
class Mqar:
    """MQAR of Arora et al., "Zoology" (arXiv 2312.04927), generator `multiquery_ar` of HazyResearch/zoology.

    Tokens: 0 filler, keys 1..V/2-1, values V/2..V-1. K distinct keys and K distinct values are written as key, value,
    ... in the first 2K tokens. Of the T/2 - K even offsets that remain, K are drawn without replacement with
    probability proportional to gap^(a-1), gap = 1, 2, ..., a = 0.01; the i-th drawn offset holds the i-th key again,
    labelled with its value. All else is filler, or a uniform token when filler = "random".

    Published: V = 8192, T = 64 to 512, K = 4 to 64. Unlike there, T may exceed V.
    """

    length: Annotated[int, Ge(4), Le(1 << 16)] = 64
    vocabulary: Annotated[int, Ge(8), Le(1 << 16)] = 128
    keys: Annotated[int, Ge(1), Le(1 << 12)] = 8
    filler: Literal["zero", "random"] = "zero"

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.length % 2 or 4 * self.keys > self.length:
            raise StudyError(f"mqar: length must be even and at least 4 * keys = {4 * self.keys}, not {self.length}")
        if self.keys > self.vocabulary // 2 - 1:
            raise StudyError(f"mqar: keys = {self.keys} need vocabulary >= {2 * self.keys + 2}, not {self.vocabulary}")

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.keys

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - self.vocabulary // 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        keys, length, half = self.keys, self.length, self.vocabulary // 2
        key_BxK = distinct(rng, rows, keys, 1, half)
        value_BxK = distinct(rng, rows, keys, half, self.vocabulary)
        positions = 2 * keys + 2 * power_law_gaps(rng, rows, keys, length // 2 - keys, GAP_POWER)
        tokens = np.zeros((rows, length), dtype=np.int64)
        if self.filler == "random":
            tokens = rng.integers(0, self.vocabulary, (rows, length))
        tokens[:, 0 : 2 * keys : 2] = key_BxK
        tokens[:, 1 : 2 * keys : 2] = value_BxK
        np.put_along_axis(tokens, positions, key_BxK, axis=1)
        return all_scored(tokens, *in_order(positions, value_BxK))

    def variant(self, role: Role) -> Mqar:
        """Gate: one key more. Final: two keys more and a quarter more tokens. Else a longer or a shorter sequence."""
        keys, length = self.keys, self.length
        gate = [
            {"keys": keys + 1, "length": max(length, 4 * (keys + 1))},
            {"length": length + 2},
            {"length": length - 2},
            {"keys": keys - 1},
        ]
        final = [
            {"keys": keys + 2, "length": max(2 * (5 * length // 8), 4 * (keys + 2))},
            {"length": length + 4},
            {"length": length - 4},
            {"keys": keys - 2},
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> Mqar:
        """The same number of keys, asked over `factor` times the distance."""
        return lengthened(self, factor, length=factor * self.length)
