"""Unifilar hidden Markov source: an unbounded past matters, and yet the entropy is known exactly."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.markov_chain import random_rows, stationary
from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour, other_seed
from novum.arenas.sequence.tasks.sampling import Floats, alias_tables, draw, next_tokens, rng_of, split_uniform
from novum.arenas.sequence.tasks.task import Batch, Ints
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class HiddenMarkov:
    """Stationary unifilar hidden Markov source (an epsilon-machine, Crutchfield and Young 1989).

    In state s the source emits symbol x with probability P(x | s) and goes to the state next(s, x), which the symbol
    determines. P is drawn as in `MarkovChain`, next at random, both from `source_seed`; symbol 0 leads through all
    states in a circle, so that every state comes again. Tokens: symbols 0..V-1, states V..V+S-1.

    The first token is the state that the sequence starts in, drawn from the stationary distribution pi; the others are
    symbols. So whoever sees the whole past knows the state, and the entropy is exact at every position:
    H = sum_s pi_s H(P(. | s)). It is that of the next symbol given the first state and all symbols since.

    transitions "random": each next(., x), x > 0, is any map of the states, and a few symbols often tell the state;
    "permutations": it is a permutation, symbols alone never tell the state, and it must be tracked from the start.
    """

    length: Annotated[int, Ge(1), Le(1 << 16)] = 64
    states: Annotated[int, Ge(1), Le(512)] = 8
    symbols: Annotated[int, Ge(2), Le(64)] = 4
    transitions: Literal["random", "permutations"] = "random"
    concentration: Annotated[float, Ge(0.01), Le(100)] = 0.5
    source_seed: Annotated[int, Ge(0), Le((1 << 32) - 1)] = 0

    @property
    def vocabulary(self) -> int:
        return self.symbols + self.states

    @property
    def outputs(self) -> int:
        return self.symbols

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        return float((self._source.share @ self._source.emits).max())

    @property
    def entropy(self) -> float:
        emits = self._source.emits
        return float(-self._source.share @ (emits * np.log(emits)).sum(axis=1))

    @property
    def _source(self) -> UnifilarSource:
        return _source(self.states, self.symbols, self.transitions, self.concentration, self.source_seed)

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        source, flat = self._source, self._source.follows.ravel()
        state_B = np.searchsorted(np.cumsum(source.share)[:-1], rng.random(rows), side="right")
        cell_TxB, uniform_TxB = split_uniform(rng, self.symbols, (self.length, rows))
        tokens_T1xB = np.empty((self.length + 1, rows), dtype=np.int64)
        tokens_T1xB[0] = self.symbols + state_B
        for step in range(self.length):
            symbol_B = draw(source.tables, state_B, cell_TxB[step], uniform_TxB[step])
            tokens_T1xB[step + 1] = symbol_B
            state_B = flat[state_B * self.symbols + symbol_B]
        return next_tokens(tokens_T1xB.T)

    def variant(self, role: Role) -> HiddenMarkov:
        """Gate and final: another source each."""
        gate, final = ([{"source_seed": other_seed(self.source_seed, one)}] for one in (Role.GATE, Role.FINAL))
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> HiddenMarkov:
        """`factor` times the tokens."""
        return lengthened(self, factor, length=factor * self.length)


@dataclass(frozen=True, slots=True)
class UnifilarSource:
    """`emits` [S, V] probabilities of symbols, `follows` [S, V] the next state, `share` [S] of each state in time.

    `tables` draw from `emits`.
    """

    emits: Floats
    follows: Ints
    share: Floats
    tables: tuple[Floats, Ints]


@lru_cache(maxsize=32)
def _source(states: int, symbols: int, transitions: str, concentration: float, seed: int) -> UnifilarSource:
    rng = rng_of("hidden_markov", states, symbols, transitions, concentration, seed)
    emits = random_rows(rng, states, symbols, concentration)
    circle = rng.permutation(states)
    follows = np.empty((states, symbols), dtype=np.int64)
    follows[circle, 0] = np.roll(circle, -1)
    for symbol in range(1, symbols):
        permuted = transitions == "permutations"
        follows[:, symbol] = rng.permutation(states) if permuted else rng.integers(0, states, states)
    step = np.zeros((states, states))
    np.add.at(step, (np.arange(states)[:, None], follows), emits)
    return UnifilarSource(emits, follows, stationary(step), alias_tables(emits))
