"""Compression of MAD: the whole sequence is to be reconstructed from the state after its last token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import neighbour
from novum.arenas.sequence.tasks.sampling import all_scored
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Compression:
    """Compression of MAD, Poli et al. (arXiv 2403.17844).

    T - 1 uniform tokens 0..V-2, then the token V-1 that stands for "compress". All positions are T - 1, and answer j is
    token j: the model reads its output there through a decoder with one slot per answer (`ReadsFromLastToken`).

    Published: V = 16, T = 32. There the constant last token is asked as well.
    """

    length: Annotated[int, Ge(2), Le(1 << 12)] = 32
    vocabulary: Annotated[int, Ge(3), Le(1 << 16)] = 16

    @property
    def reads_from_last_token(self) -> Literal[True]:
        return True

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length - 1

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - 1)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        tokens = rng.integers(0, self.vocabulary - 1, (rows, self.length))
        tokens[:, -1] = self.vocabulary - 1
        answers = tokens[:, :-1].copy()
        return all_scored(tokens, np.full_like(answers, self.length - 1), answers)

    def variant(self, role: Role) -> Compression:
        """Gate: two tokens more. Final: four tokens more. Else fewer."""
        length = self.length
        gate, final = ([{"length": length + by}, {"length": length - by}] for by in (2, 4))
        return neighbour(self, role, gate, final)
