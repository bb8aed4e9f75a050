"""Several stacks in one stream: a pop is to be answered with the element that was pushed last."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, distinct
from novum.arenas.sequence.tasks.task import Batch, Bools, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class Stacks:
    """The stack task of "Kimi Linear" (arXiv 2510.26692): last in, first out, on several stacks at once.

    Operations are three tokens: push or pop, the stack, the element. A pop is labelled at its stack with the element,
    the one pushed last onto that stack of those still there. Tokens: 0 push, 1 pop, then stacks, then elements.

    Each stack has `operations` operations of which `pops` are pops, so that shapes are constant: a random order of
    them, turned so that it begins where pops were most ahead of pushes: then no pop finds its stack empty. The
    operations of different stacks are shuffled; elements are uniform. The paper has 64 stacks and T = 256 to 2048, and
    does not say how its operations are drawn.
    """

    stacks: Annotated[int, Ge(1), Le(256)] = 4
    operations: Annotated[int, Ge(2), Le(1 << 12)] = 4
    pops: Annotated[int, Ge(1), Le(1 << 11)] = 2
    elements: Annotated[int, Ge(2), Le(1 << 12)] = 8

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if 2 * self.pops > self.operations:
            raise StudyError(f"stacks: pops = {self.pops} need operations >= {2 * self.pops}, not {self.operations}")

    @property
    def vocabulary(self) -> int:
        return 2 + self.stacks + self.elements

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def length(self) -> int:
        return 3 * self.stacks * self.operations

    @property
    def queries(self) -> int:
        return self.stacks * self.pops

    @property
    def chance(self) -> float:
        return 1.0 / self.elements

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        every, total = np.arange(rows)[:, None, None], self.stacks * self.operations
        pop_BxSxN = self._pops(rng, rows)
        time_BxSxN = np.sort(distinct(rng, rows, total, 0, total).reshape(pop_BxSxN.shape), axis=2)
        tokens = np.empty((rows, total, 3), dtype=np.int64)
        tokens[every, time_BxSxN, 0] = pop_BxSxN
        tokens[every, time_BxSxN, 1] = 2 + np.arange(self.stacks)[:, None]
        tokens[every, time_BxSxN, 2] = 2 + self.stacks + self._elements(rng, pop_BxSxN)

        place_BxQ = np.nonzero(tokens[:, :, 0] == 1)[1].reshape(rows, self.queries)
        answers = tokens[every[:, 0], place_BxQ, 2]
        return all_scored(tokens.reshape(rows, self.length), 3 * place_BxQ + 1, answers)

    def _pops(self, rng: np.random.Generator, rows: int) -> Bools:
        """Which operations of each stack are pops, [B, S, N]; at no time more than pushes."""
        count, shape = self.operations, (rows * self.stacks, self.operations)
        pop = distinct(rng, shape[0], count, 0, count) < self.pops
        depth = np.cumsum(1 - 2 * pop.astype(np.int64), axis=1)
        start = np.where(depth.min(axis=1) < 0, depth.argmin(axis=1) + 1, 0)
        turned = (start[:, None] + np.arange(count)) % count
        return np.take_along_axis(pop, turned, axis=1).reshape(rows, self.stacks, count)

    def _elements(self, rng: np.random.Generator, pop_BxSxN: Bools) -> Ints:
        """What each operation pushes or pops, 0..elements-1, [B, S, N]."""
        element = rng.integers(0, self.elements, pop_BxSxN.shape)
        held_BxSxN = np.empty_like(element)
        depth_BxS = np.zeros(pop_BxSxN.shape[:2], dtype=np.int64)
        for step in range(self.operations):
            pop = pop_BxSxN[:, :, step]
            top = (depth_BxS - pop)[:, :, None]
            found = np.where(pop[:, :, None], np.take_along_axis(held_BxSxN, top, axis=2), element[:, :, step, None])
            np.put_along_axis(held_BxSxN, top, found, axis=2)
            element[:, :, step] = found[:, :, 0]
            depth_BxS += 1 - 2 * pop
        return element

    def variant(self, role: Role) -> Stacks:
        """Gate: one operation more on each stack. Final: four more, of which two are pops. Else fewer."""
        operations, pops = self.operations, self.pops
        gate = [{"operations": operations + 1}, {"operations": operations - 1}, {"pops": pops - 1}]
        final = [
            {"operations": operations + 4, "pops": pops + 2},
            {"operations": operations - 2},
            {"pops": pops - 2},
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> Stacks:
        """`factor` times the operations and pops of each stack."""
        return lengthened(self, factor, operations=factor * self.operations, pops=factor * self.pops)
