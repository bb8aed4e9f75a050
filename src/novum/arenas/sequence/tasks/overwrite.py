"""Associative recall with overwriting: keys are written several times, and the last value of each counts."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, distinct
from novum.arenas.sequence.tasks.task import Batch, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Overwrite:
    """After `forgetting_mqar` of HazyResearch/zoology (arXiv 2312.04927).

    Keys are tokens 1..V/2-1, values V/2..V-1. K distinct keys are drawn. A uniformly shuffled order of the K·W events
    (each key W times) is written as key, value, key, value, ...; values are dealt without replacement, and all of them
    are shuffled anew when they are used up. Then come Q = `asked` distinct keys in random order, each labelled with the
    value of that key's last event. T = 2KW + Q.

    Unlike there, every key is written equally often and in any order (not all once, then some of them again), and the
    questions follow without gaps.
    """

    keys: Annotated[int, Ge(1), Le(1 << 10)] = 6
    writes: Annotated[int, Ge(1), Le(1 << 10)] = 2
    asked: Annotated[int, Ge(1), Le(1 << 10)] = 6
    vocabulary: Annotated[int, Ge(4), Le(1 << 16)] = 32

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.asked > self.keys:
            raise StudyError(f"overwrite: asked = {self.asked} must be at most keys = {self.keys}")
        if self.keys > self.vocabulary // 2 - 1:
            raise StudyError(
                f"overwrite: keys = {self.keys} need vocabulary >= {2 * self.keys + 2}, not {self.vocabulary}"
            )

    @property
    def length(self) -> int:
        return 2 * self.keys * self.writes + self.asked

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.asked

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - self.vocabulary // 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        keys, writes = self.keys, self.writes
        events, every = keys * writes, np.arange(rows)[:, None]
        key_BxK = distinct(rng, rows, keys, 1, self.vocabulary // 2)
        value_BxM = self._values(rng, rows, events)
        event_BxKW = distinct(rng, rows, events, 0, events)  # the W events of key 0, those of key 1, ...
        last_BxK = event_BxKW.reshape(rows, keys, writes).max(axis=2)
        asked_BxQ = distinct(rng, rows, self.asked, 0, keys)

        tokens = np.empty((rows, self.length), dtype=np.int64)
        tokens[every, 2 * event_BxKW] = np.repeat(key_BxK, writes, axis=1)
        tokens[:, 1 : 2 * events : 2] = value_BxM
        tokens[:, 2 * events :] = key_BxK[every, asked_BxQ]
        positions = np.tile(np.arange(2 * events, self.length), (rows, 1))
        return all_scored(tokens, positions, value_BxM[every, last_BxK[every, asked_BxQ]])

    def _values(self, rng: np.random.Generator, rows: int, events: int) -> Ints:
        low, high = self.vocabulary // 2, self.vocabulary
        if events <= high - low:
            return distinct(rng, rows, events, low, high)
        decks = -(-events // (high - low))
        dealt = distinct(rng, rows * decks, high - low, low, high)
        return dealt.reshape(rows, -1)[:, :events]

    def variant(self, role: Role) -> Overwrite:
        """Gate: one key more. Final: two keys more and one write more. Else one write, or one key, more or less."""
        keys, writes, asked = self.keys, self.writes, self.asked
        gate = [
            {"keys": keys + 1, "asked": min(asked + 1, keys + 1)},
            {"writes": writes + 1},
            {"writes": writes - 1},
            {"keys": keys - 1, "asked": min(asked, keys - 1)},
        ]
        final = [
            {"keys": keys + 2, "asked": min(asked + 2, keys + 2), "writes": writes + 1},
            {"writes": writes + 2},
            {"writes": writes - 2},
            {"keys": keys - 2, "asked": min(asked, keys - 2)},
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> Overwrite:
        """More writes of each key, as many as come nearest to `factor` times the tokens."""
        return lengthened(self, factor, writes=round((factor * self.length - self.asked) / (2 * self.keys)))
