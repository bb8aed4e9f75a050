"""Associative recall with keys of two tokens, neither of which alone determines the value."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.mqar import GAP_POWER
from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, distinct, in_order, power_law_gaps
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class CompositionalMqar:
    """`compositional_mqar` of HazyResearch/zoology (arXiv 2312.04927).

    Tokens, with U = V // 3: 0 filler, first halves of keys 1..U-1, second halves U..2U-1, values 2U..V-1. G distinct
    first halves times G distinct second halves make the K = G² keys, each with a value of its own. They are written in
    random order as first half, second half, value in the first 3K tokens. K of the (T - 3K) // 3 places of three tokens
    that remain are drawn as in MQAR; each holds a key, and its second half is labelled with the value. All else is
    filler, or a uniform token when filler = "random".

    Published: K = 4. Unlike there, T may exceed V and be odd.
    """

    length: Annotated[int, Ge(6), Le(1 << 16)] = 48
    vocabulary: Annotated[int, Ge(6), Le(1 << 16)] = 96
    grid: Annotated[int, Ge(1), Le(64)] = 2
    filler: Literal["zero", "random"] = "zero"

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if 6 * self.queries > self.length:
            raise StudyError(
                f"compositional_mqar: grid = {self.grid} needs length >= {6 * self.queries}, not {self.length}"
            )
        third = self.vocabulary // 3
        if self.grid > third - 1 or self.queries > self.vocabulary - 2 * third:
            raise StudyError(
                f"compositional_mqar: grid = {self.grid} needs vocabulary / 3 > grid and >= {self.queries} values in "
                f"the last third of the vocabulary, not vocabulary = {self.vocabulary}"
            )

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.grid * self.grid

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - 2 * (self.vocabulary // 3))

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        grid, pairs, third = self.grid, self.queries, self.vocabulary // 3
        context, every = 3 * pairs, np.arange(rows)[:, None]
        cell_BxK = distinct(rng, rows, pairs, 0, pairs)
        first_BxK = distinct(rng, rows, grid, 1, third)[every, cell_BxK // grid]
        second_BxK = distinct(rng, rows, grid, third, 2 * third)[every, cell_BxK % grid]
        value_BxK = distinct(rng, rows, pairs, 2 * third, self.vocabulary)
        asked_BxK = context + 3 * power_law_gaps(rng, rows, pairs, (self.length - context) // 3, GAP_POWER)

        tokens = np.zeros((rows, self.length), dtype=np.int64)
        if self.filler == "random":
            tokens = rng.integers(0, self.vocabulary, (rows, self.length))
        for offset, part_BxK in enumerate((first_BxK, second_BxK, value_BxK)):
            tokens[:, offset:context:3] = part_BxK
        tokens[every, asked_BxK] = first_BxK
        tokens[every, asked_BxK + 1] = second_BxK
        return all_scored(tokens, *in_order(asked_BxK + 1, value_BxK))

    def variant(self, role: Role) -> CompositionalMqar:
        """Gate: three tokens more. Final: a larger grid and the tokens it needs. Else a shorter sequence or grid."""
        grid, length = self.grid, self.length
        gate = [{"length": length + 3}, {"length": length - 3}, {"grid": grid - 1}]
        larger = max(length + 6, 6 * (grid + 1) ** 2)
        final = [{"grid": grid + 1, "length": larger}, {"length": length + 6}, {"length": length - 6}]
        return neighbour(self, role, gate, [*final, {"grid": grid - 2}])

    def longer(self, factor: int) -> CompositionalMqar:
        """The same number of keys, asked over `factor` times the distance."""
        return lengthened(self, factor, length=factor * self.length)
