"""Copying: of tokens between blanks in their order (selective copying, MAD), of a list backwards (palindrome)."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class SelectiveCopying:
    """Selective copying of MAD, Poli et al. (arXiv 2403.17844).

    Tokens: 0..V-3 to copy, V-2 blank, V-1 "copy now". `copied` uniform tokens are written; each of the T - 2·copied - 1
    blanks is put before one of them, uniformly chosen. Then come "copy now" and `copied` blanks, the i-th of which is
    labelled with the i-th token.

    Published: V = 16, T = 256, 16 copied.
    """

    length: Annotated[int, Ge(4), Le(1 << 16)] = 48
    vocabulary: Annotated[int, Ge(4), Le(1 << 16)] = 16
    copied: Annotated[int, Ge(1), Le(1 << 12)] = 8

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.length < 2 * self.copied + 2:
            raise StudyError(
                f"selective_copying: copied = {self.copied} needs length >= {2 * self.copied + 2}, not {self.length}"
            )

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.copied

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        copied, length, every = self.copied, self.length, np.arange(rows)[:, None]
        token_BxC = rng.integers(0, self.vocabulary - 2, (rows, copied))
        before_BxL = rng.integers(0, copied, (rows, length - 2 * copied - 1)) + copied * every
        blanks_BxC = np.bincount(before_BxL.ravel(), minlength=rows * copied).reshape(rows, copied)

        tokens = np.full((rows, length), self.vocabulary - 2, dtype=np.int64)
        tokens[every, np.arange(copied) + blanks_BxC.cumsum(axis=1)] = token_BxC
        tokens[:, -copied - 1] = self.vocabulary - 1
        return all_scored(tokens, np.tile(np.arange(length - copied, length), (rows, 1)), token_BxC)

    def variant(self, role: Role) -> SelectiveCopying:
        """Gate: one token more to copy. Final: two tokens more and eight blanks more. Else fewer blanks or tokens."""
        copied, length = self.copied, self.length
        gate = [
            {"copied": copied + 1, "length": length + 2},
            {"length": length - 1},
            {"copied": copied - 1},
            {"length": length + 1},
        ]
        final = [
            {"copied": copied + 2, "length": length + 12},
            {"length": length - 2},
            {"copied": copied - 2},
            {"length": length + 2},
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> SelectiveCopying:
        """The same number of tokens to copy between more blanks."""
        return lengthened(self, factor, length=factor * self.length)


@dataclass(frozen=True, slots=True)
class Palindrome:
    """The palindrome task of "Kimi Linear" (arXiv 2510.26692).

    T/2 uniform tokens 0..V-2, then V-1 as separator, then the same tokens backwards but for the first of them, which is
    only a label. From the separator on, each token is labelled with the next. Published: T = 256 to 2048.
    """

    length: Annotated[int, Ge(2), Le(1 << 16)] = 32
    vocabulary: Annotated[int, Ge(3), Le(1 << 16)] = 17

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.length % 2:
            raise StudyError(f"palindrome: length must be even (there and back), not {self.length}")

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length // 2

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - 1)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        half = self.queries
        tokens = np.empty((rows, self.length), dtype=np.int64)
        tokens[:, :half] = rng.integers(0, self.vocabulary - 1, (rows, half))
        tokens[:, half] = self.vocabulary - 1
        answers = np.ascontiguousarray(tokens[:, half - 1 :: -1])
        tokens[:, half + 1 :] = answers[:, :-1]
        return all_scored(tokens, np.tile(np.arange(half, self.length), (rows, 1)), answers)

    def variant(self, role: Role) -> Palindrome:
        """Gate: two tokens more there and back. Final: four more. Else fewer."""
        length = self.length
        gate, final = ([{"length": length + by}, {"length": length - by}] for by in (4, 8))
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> Palindrome:
        """`factor` times the tokens."""
        return lengthened(self, factor, length=factor * self.length)
