"""Markov chain of order k with random transitions: a source with an exactly known entropy rate."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour, other_seed
from novum.arenas.sequence.tasks.sampling import Floats, alias_tables, draw, next_tokens, rng_of, split_uniform
from novum.arenas.sequence.tasks.task import Batch, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

UNIFORM = 0.01
"""Share of the uniform distribution in every row of a random table: every symbol can always follow."""


@dataclass(frozen=True, slots=True)
class MarkovChain:
    """Stationary Markov chain of order k on V symbols.

    The distribution of the next symbol after each of the V^k words is a row of a table drawn from `source_seed`:
    0.99 times a Dirichlet(`concentration`, ...) draw plus 0.01 times uniform. A sequence starts with a word from the
    stationary distribution pi. Every token is labelled with the next; scored are those with k - 1 tokens before them,
    since there the past in the sequence is all that matters. So the entropy is exact at each scored position:
    H = sum_w pi_w H(next | w).
    """

    length: Annotated[int, Ge(1), Le(1 << 16)] = 64
    vocabulary: Annotated[int, Ge(2), Le(64)] = 8
    order: Annotated[int, Ge(1), Le(10)] = 2
    concentration: Annotated[float, Ge(0.01), Le(100)] = 0.5
    source_seed: Annotated[int, Ge(0), Le((1 << 32) - 1)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        if self.vocabulary**self.order > 1024:
            raise StudyError(f"markov_chain: vocabulary^order must be at most 1024, not {self.vocabulary}^{self.order}")
        if self.length < self.order:
            raise StudyError(f"markov_chain: length must be at least order = {self.order}, not {self.length}")

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        return float((self._source.share @ self._source.follows).max())

    @property
    def entropy(self) -> float:
        follows = self._source.follows
        return float(-self._source.share @ (follows * np.log(follows)).sum(axis=1))

    @property
    def _source(self) -> MarkovSource:
        return _source(self.vocabulary, self.order, self.concentration, self.source_seed)

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        source, symbols, order = self._source, self.vocabulary, self.order
        words = len(source.share)
        word_B = np.searchsorted(np.cumsum(source.share)[:-1], rng.random(rows), side="right")
        cell_TxB, uniform_TxB = split_uniform(rng, symbols, (self.length + 1, rows))
        tokens_T1xB = np.empty((self.length + 1, rows), dtype=np.int64)
        for place in range(order):
            tokens_T1xB[place] = word_B // symbols ** (order - 1 - place) % symbols
        for step in range(order, self.length + 1):
            tokens_T1xB[step] = next_B = draw(source.tables, word_B, cell_TxB[step], uniform_TxB[step])
            word_B = (word_B * symbols + next_B) % words
        scored = np.tile(np.arange(self.length) >= order - 1, (rows, 1))
        return next_tokens(tokens_T1xB.T, scored)

    def variant(self, role: Role) -> MarkovChain:
        """Gate and final: another table each."""
        gate, final = ([{"source_seed": other_seed(self.source_seed, one)}] for one in (Role.GATE, Role.FINAL))
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> MarkovChain:
        """`factor` times the tokens."""
        return lengthened(self, factor, length=factor * self.length)


def random_rows(rng: np.random.Generator, rows: int, symbols: int, concentration: float) -> Floats:
    """Random distributions over symbols, [rows, symbols]; see `UNIFORM`."""
    drawn = rng.dirichlet(np.full(symbols, concentration), rows)
    return (1 - UNIFORM) * drawn + UNIFORM / symbols


def stationary(step_SxS: Floats) -> Floats:
    """The stationary distribution of an irreducible chain, [S], from its transition matrix."""
    states = len(step_SxS)
    equations = step_SxS.T - np.eye(states)
    equations[-1] = 1.0  # one of the equations follows from the others
    share: Floats = np.linalg.solve(equations, np.eye(states)[-1])
    share = np.maximum(share, 0.0)
    share /= share.sum()
    return share


@dataclass(frozen=True, slots=True)
class MarkovSource:
    """`follows` [V^k, V] probabilities of symbols after words, `share` [V^k] of each word in time.

    `tables` draw from `follows`.
    """

    follows: Floats
    share: Floats
    tables: tuple[Floats, Ints]


@lru_cache(maxsize=32)
def _source(symbols: int, order: int, concentration: float, seed: int) -> MarkovSource:
    words = symbols**order
    table = random_rows(rng_of("markov_chain", symbols, order, concentration, seed), words, symbols, concentration)
    step = np.zeros((words, words))
    word = np.arange(words)[:, None]
    step[word, (word * symbols + np.arange(symbols)) % words] = table
    return MarkovSource(table, stationary(step), alias_tables(table))
