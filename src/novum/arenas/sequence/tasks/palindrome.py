"""Palindrome: a list of tokens is to be repeated backwards."""

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
