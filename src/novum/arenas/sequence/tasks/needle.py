"""Needles in a haystack: a few key-value pairs in much filler, asked for at the end."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, distinct
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Needle:
    """A toy of "single needle in a haystack" (S-NIAH) of RULER, Hsieh et al. (arXiv 2404.06654).

    Tokens: 0 marks a needle, then `filler_tokens` of filler, then keys, then values. Each of the `needles` is mark,
    key, value, with a key of its own and a uniform value, put at a place of its own in the filler. At the end every
    needle is asked for once, in random order, as mark, key; the key is labelled with the value.

    filler "repeated": one phrase of all filler tokens again and again, the same in all sequences (S-NIAH-1);
    "distinct": uniform filler tokens, different in each sequence (S-NIAH-2, where it is prose). RULER has one needle of
    many tokens in 4k to 128k tokens of text.
    """

    length: Annotated[int, Ge(5), Le(1 << 16)] = 64
    filler: Literal["repeated", "distinct"] = "repeated"
    needles: Annotated[int, Ge(1), Le(1 << 10)] = 1
    filler_tokens: Annotated[int, Ge(1), Le(1 << 12)] = 16
    keys: Annotated[int, Ge(1), Le(1 << 12)] = 16
    values: Annotated[int, Ge(2), Le(1 << 12)] = 16

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.needles > self.keys:
            raise StudyError(f"needle: needles = {self.needles} must be at most keys = {self.keys}")
        if self.length < 6 * self.needles - 1:
            raise StudyError(
                f"needle: needles = {self.needles} need length >= {6 * self.needles - 1} (3 tokens each, 2 to ask, and "
                f"filler between them), not {self.length}"
            )

    @property
    def vocabulary(self) -> int:
        return 1 + self.filler_tokens + self.keys + self.values

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.needles

    @property
    def chance(self) -> float:
        return 1.0 / self.values

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        needles, first_key, every = self.needles, 1 + self.filler_tokens, np.arange(rows)[:, None]
        filling = self.length - 5 * needles
        key_BxN = first_key + distinct(rng, rows, needles, 0, self.keys)
        value_BxN = first_key + self.keys + rng.integers(0, self.values, (rows, needles))
        start_BxN = np.sort(distinct(rng, rows, needles, 0, filling + 1), axis=1) + 3 * np.arange(needles)

        tokens = np.zeros((rows, self.length), dtype=np.int64)
        free = np.ones(tokens.shape, dtype=np.bool_)
        free[:, self.length - 2 * needles :] = False
        for offset in range(3):
            free[every, start_BxN + offset] = False
        if self.filler == "repeated":
            phrase = 1 + np.arange(filling) % self.filler_tokens
            tokens[free] = np.broadcast_to(phrase, (rows, filling)).ravel()
        else:
            tokens[free] = rng.integers(1, first_key, rows * filling)
        tokens[every, start_BxN + 1] = key_BxN
        tokens[every, start_BxN + 2] = value_BxN

        asked_BxN = distinct(rng, rows, needles, 0, needles)
        positions = np.tile(np.arange(self.length - 2 * needles + 1, self.length, 2), (rows, 1))
        tokens[every, positions] = key_BxN[every, asked_BxN]
        return all_scored(tokens, positions, value_BxN[every, asked_BxN])

    def variant(self, role: Role) -> Needle:
        """Gate: one needle more. Final: two needles more and a quarter more tokens. Else longer or shorter."""
        length, needles = self.length, self.needles
        gate = [
            {"needles": needles + 1, "length": max(length, 6 * needles + 5)},
            {"length": length + 4},
            {"length": length - 4},
            {"needles": needles - 1},
        ]
        final = [
            {"needles": needles + 2, "length": max(5 * length // 4, 6 * needles + 11)},
            {"length": length + 8},
            {"length": length - 8},
            {"needles": needles - 2},
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> Needle:
        """The same needles in more filler."""
        return lengthened(self, factor, length=factor * self.length)
