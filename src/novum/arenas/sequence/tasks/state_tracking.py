"""State tracking: parity, modular arithmetic, products of permutations; each an automaton that reads a random word."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import all_scored, run_automaton
from novum.arenas.sequence.tasks.task import Batch, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

Labels = Literal["every", "last"]
"""Which prefixes are labelled: every one, or one per sequence, whose length is uniform in `shortest`..T.

With "last" the tokens after the labelled one are random; a causal model does not see them. `shortest` 0 means T.
"""


@dataclass(frozen=True, slots=True)
class Parity:
    """Parity of uniform bits: 1 when the number of ones so far is odd.

    Delétang et al. (arXiv 2207.02098), trained at lengths up to 40 and scored up to 256 as in xLSTM (2405.04517) and
    Grazzi et al. (2411.12537): `Parity(40, "last", 3)`, scored with `longer`. Unlike there, the answer is asked at the
    last bit and not at a token of its own.
    """

    length: Annotated[int, Ge(1), Le(1 << 16)] = 32
    labels: Labels = "every"
    shortest: Annotated[int, Ge(0), Le(1 << 16)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        _check("parity", self.length, self.labels, self.shortest)

    @property
    def vocabulary(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 2

    @property
    def queries(self) -> int:
        return self.length if self.labels == "every" else 1

    @property
    def chance(self) -> float:
        return 0.5

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        tokens = rng.integers(0, 2, (rows, self.length))
        states: Ints = np.bitwise_xor.accumulate(tokens, axis=1)
        return _labelled(rng, tokens, states, self.labels, self.shortest)

    def variant(self, role: Role) -> Parity:
        """Gate: a quarter longer. Final: half as long again. Else shorter."""
        return neighbour(self, role, *_lengths(self.length, self.shortest, 1))

    def longer(self, factor: int) -> Parity:
        """`factor` times the bits."""
        return lengthened(self, factor, length=factor * self.length)


@dataclass(frozen=True, slots=True)
class ModularArithmetic:
    """Value of an expression of numbers 0..m-1 with + - and *, modulo m; * binds more strongly.

    "Modular arithmetic (simple)" of Delétang et al. (arXiv 2207.02098), m = 5; lengths as for `Parity`. Numbers and
    operators alternate, so T is odd; tokens: numbers 0..m-1, then + - *. Labels are at numbers, with the value of the
    expression so far. Unlike there, no token asks for the answer.
    """

    length: Annotated[int, Ge(1), Le((1 << 16) - 1)] = 31
    modulus: Annotated[int, Ge(2), Le(32)] = 5
    labels: Labels = "every"
    shortest: Annotated[int, Ge(0), Le(1 << 16)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        _check("modular_arithmetic", self.length, self.labels, self.shortest)
        if self.length % 2 == 0 or (self.shortest and self.shortest % 2 == 0):
            raise StudyError(
                "modular_arithmetic: numbers and operators alternate, so length and shortest must be odd, not "
                f"{self.length} and {self.shortest}"
            )

    @property
    def vocabulary(self) -> int:
        return self.modulus + 3

    @property
    def outputs(self) -> int:
        return self.modulus

    @property
    def queries(self) -> int:
        return (self.length + 1) // 2 if self.labels == "every" else 1

    @property
    def chance(self) -> float:
        """Of the likeliest value at each position, which is 0: products are 0 more often than not."""
        first = 0 if self.labels == "every" else ((self.shortest or self.length) - 1) // 2
        return float(_values(self.modulus, (self.length + 1) // 2)[first:].max(axis=1).mean())

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        m, numbers = self.modulus, (self.length + 1) // 2
        tokens = np.empty((rows, self.length), dtype=np.int64)
        tokens[:, 0::2] = rng.integers(0, m, (rows, numbers))
        tokens[:, 1::2] = rng.integers(m, m + 3, (rows, numbers - 1))
        symbols = tokens[:, 0::2].copy()
        symbols[:, 1:] += (tokens[:, 1::2] - m) * m
        states = run_automaton(_expressions(m), 0, symbols)
        return _labelled(rng, tokens, _value(states, m), self.labels, self.shortest, every=2)

    def variant(self, role: Role) -> ModularArithmetic:
        """Gate: a quarter longer. Final: half as long again. Else shorter."""
        return neighbour(self, role, *_lengths(self.length, self.shortest, 2))

    def longer(self, factor: int) -> ModularArithmetic:
        """`factor` times the numbers."""
        return lengthened(self, factor, length=factor * (self.length + 1) - 1)


@dataclass(frozen=True, slots=True)
class PermutationProduct:
    """The word problem of the symmetric group S_n: the product of uniform permutations.

    S_5 of Merrill et al., "The illusion of state in state-space models" (arXiv 2404.08819), and DeltaProduct
    (2502.10297). Tokens and answers number the permutations of 0..n-1 in lexicographic order. The product p after token
    t is p'(i) = t(p(i)), so tokens apply one after the other, beginning with the identity.
    """

    length: Annotated[int, Ge(1), Le(1 << 16)] = 32
    points: Annotated[int, Ge(2), Le(5)] = 5
    labels: Labels = "every"
    shortest: Annotated[int, Ge(0), Le(1 << 16)] = 0

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        _check("permutation_product", self.length, self.labels, self.shortest)

    @property
    def vocabulary(self) -> int:
        return len(_products(self.points))

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length if self.labels == "every" else 1

    @property
    def chance(self) -> float:
        return 1.0 / self.vocabulary

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        tokens = rng.integers(0, self.vocabulary, (rows, self.length))
        states = run_automaton(_products(self.points), 0, tokens)
        return _labelled(rng, tokens, states, self.labels, self.shortest)

    def variant(self, role: Role) -> PermutationProduct:
        """Gate: a quarter longer. Final: half as long again. Else shorter."""
        return neighbour(self, role, *_lengths(self.length, self.shortest, 1))

    def longer(self, factor: int) -> PermutationProduct:
        """`factor` times the permutations."""
        return lengthened(self, factor, length=factor * self.length)


def _check(name: str, length: int, labels: Labels, shortest: int) -> None:
    if labels == "every" and shortest:
        raise StudyError(f"{name}: shortest = {shortest} needs labels = 'last'; with 'every' all prefixes are labelled")
    if shortest > length:
        raise StudyError(f"{name}: shortest must be at most length = {length}, not {shortest}")


def _lengths(length: int, shortest: int, step: int) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
    """Lengths for the gate and for final trials, in steps that keep numbers and operators whole."""
    by = step * max(1, length // (4 * step))
    gate = [length + by, length - by, length - step]
    final = [length + 2 * by, length - 2 * by, length - 2 * step]
    both = [[{"length": one, "shortest": min(shortest, one)} for one in lengths] for lengths in (gate, final)]
    return both[0], both[1]


def _labelled(
    rng: np.random.Generator, tokens: Ints, states: Ints, labels: Labels, shortest: int, every: int = 1
) -> Batch:
    """Labels with the states after tokens 0, `every`, 2 · `every`, ..."""
    rows, count = states.shape
    if labels == "every":
        return all_scored(tokens, np.tile(every * np.arange(count), (rows, 1)), states)
    first = (shortest - 1) // every if shortest else count - 1
    column = rng.integers(first, count, (rows, 1))
    return all_scored(tokens, every * column, np.take_along_axis(states, column, axis=1))


def _value(states: Ints, modulus: int) -> Ints:
    return (states // modulus + states % modulus) % modulus


@lru_cache(maxsize=32)
def _expressions(modulus: int) -> Ints:
    """Table [m², 3m] of an automaton that reads an operator with the number after it.

    State s · m + p: s is the sum of the finished terms, p the signed product that is still open. State 0 followed by
    + and a number is that number.
    """
    total, product = np.divmod(np.arange(modulus**2), modulus)
    number = np.arange(modulus)
    closed, opened = ((total + product) % modulus * modulus)[:, None], (product[:, None] * number) % modulus
    table = [closed + number, closed + -number % modulus, (total * modulus)[:, None] + opened]
    return np.concatenate(table, axis=1).astype(np.int64)


@lru_cache(maxsize=64)
def _values(modulus: int, numbers: int) -> npt.NDArray[np.float64]:
    """Probability of each value after 1, 2, ... numbers, [numbers, m]."""
    table = _expressions(modulus)
    chance_S: npt.NDArray[np.float64] = np.zeros(modulus**2)
    chance_S[:modulus] = 1 / modulus
    value_S, found = _value(np.arange(modulus**2), modulus), np.empty((numbers, modulus))
    for count in range(numbers):
        found[count] = np.bincount(value_S, chance_S, minlength=modulus)
        share = np.repeat(chance_S / table.shape[1], table.shape[1])
        chance_S = np.bincount(table.ravel(), share, minlength=modulus**2).astype(np.float64)
    return found


@lru_cache(maxsize=8)
def _products(points: int) -> Ints:
    """Table [n!, n!]: the number of the permutation that is the row's, followed by the column's."""
    every = np.array(list(permutations(range(points))))
    weights = points ** np.arange(points)[::-1]
    number = {code: place for place, code in enumerate((every @ weights).tolist())}
    codes = (every[:, every].transpose(1, 0, 2) @ weights).tolist()
    return np.array([[number[code] for code in row] for row in codes], dtype=np.int64)
