"""In-context recall of MAD, plain and noisy: keys of a stream of key-value pairs that come again keep their value."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import first_place, next_tokens, one_of
from novum.arenas.sequence.tasks.task import Batch, Bools
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class InContextRecall:
    """In-context recall with several queries, Poli et al., "Mechanistic design" (MAD, arXiv 2403.17844).

    Keys are tokens 0..V/2-1, values V/2..V-1. Each sequence has a random map from keys to values (two keys may share
    one). N = (T+1) / 2 pairs key, value with uniform keys are written; the key of the last pair is drawn from those
    that occurred. Trained on every next token; scored where a key has occurred before, on its value.

    Published: V = 16, T = 127 (128 tokens, the last of which is only a label).
    """

    length: Annotated[int, Ge(3), Le((1 << 16) - 1)] = 63
    vocabulary: Annotated[int, Ge(3), Le(1 << 12)] = 16

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        _odd("in_context_recall", self.length)

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - self.vocabulary // 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        noise = np.zeros((rows, (self.length + 1) // 2), dtype=np.bool_)
        return _batch(rng, self.vocabulary, noise, noise_tokens=0)

    def variant(self, role: Role) -> InContextRecall:
        """Gate: four pairs more. Final: eight pairs more. Else fewer."""
        length = self.length
        gate = [{"length": length + 8}, {"length": length - 8}, {"length": length + 2}]
        final = [{"length": length + 16}, {"length": length - 16}, {"length": length + 4}, {"length": length - 4}]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> InContextRecall:
        """`factor` times the pairs."""
        return lengthened(self, factor, length=factor * (self.length + 1) - 1)


@dataclass(frozen=True, slots=True)
class NoisyInContextRecall:
    """Noisy in-context recall of MAD (arXiv 2403.17844): as in-context recall, but some pairs are noise.

    The last `noise_tokens` of the vocabulary are noise; the V' tokens before them are keys 0..V'/2-1 and values. Each
    pair but the last is, with probability `noise`, two uniform noise tokens; one pair chosen at random never is.

    Published: V = 32 of which 16 are noise, T = 127, noise 0.2. There the pair that is never noise may be the last one.
    """

    length: Annotated[int, Ge(3), Le((1 << 16) - 1)] = 63
    vocabulary: Annotated[int, Ge(4), Le(1 << 12)] = 32
    noise_tokens: Annotated[int, Ge(1), Le(1 << 12)] = 16
    noise: Annotated[float, Ge(0), Le(0.9)] = 0.2

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        _odd("noisy_in_context_recall", self.length)
        if self.noise_tokens > self.vocabulary - 3:
            raise StudyError(
                f"noisy_in_context_recall: noise_tokens = {self.noise_tokens} must leave a key and two values of "
                f"vocabulary = {self.vocabulary}"
            )

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        plain = self.vocabulary - self.noise_tokens
        return 1.0 / (plain - plain // 2)

    @property
    def entropy(self) -> float:
        return 0.0

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        pairs = (self.length + 1) // 2
        noise = rng.random((rows, pairs)) < self.noise
        noise[:, -1] = False
        noise[np.arange(rows), rng.integers(0, pairs - 1, rows)] = False
        return _batch(rng, self.vocabulary, noise, self.noise_tokens)

    def variant(self, role: Role) -> NoisyInContextRecall:
        """Gate: 0.1 more noise. Final: 0.2 more noise and eight pairs more. Else less noise."""
        noise = self.noise
        gate = [{"noise": round(noise + 0.1, 9)}, {"noise": round(noise - 0.1, 9)}]
        final = [
            {"noise": round(noise + by, 9), "length": self.length + more} for by in (0.2, -0.2) for more in (16, 0)
        ]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> NoisyInContextRecall:
        """`factor` times the pairs."""
        return lengthened(self, factor, length=factor * (self.length + 1) - 1)


def _odd(name: str, length: int) -> None:
    if length % 2 == 0:
        raise StudyError(f"{name}: length must be odd (whole pairs, the last value only a label), not {length}")


def _batch(rng: np.random.Generator, vocabulary: int, noise_BxN: Bools, noise_tokens: int) -> Batch:
    rows, pairs = noise_BxN.shape
    plain, every = vocabulary - noise_tokens, np.arange(rows)
    keys = plain // 2
    value_BxK = rng.integers(keys, plain, (rows, keys))
    key_BxN = rng.integers(0, keys, (rows, pairs))
    key_BxN[noise_BxN] = keys  # which no key is
    new_BxN = first_place(key_BxN[:, :-1]) == np.arange(pairs - 1)
    key_BxN[:, -1] = key_BxN[every, one_of(rng, new_BxN & ~noise_BxN[:, :-1])]

    tokens = np.empty((rows, 2 * pairs), dtype=np.int64)
    tokens[:, 0::2] = key_BxN
    tokens[:, 1::2] = value_BxK[every[:, None], np.minimum(key_BxN, keys - 1)]
    if noise_tokens:
        where = np.repeat(noise_BxN, 2, axis=1)
        tokens[where] = rng.integers(plain, vocabulary, int(where.sum()))
    scored = np.zeros((rows, 2 * pairs - 1), dtype=np.bool_)
    scored[:, 0:-1:2] = ~new_BxN & ~noise_BxN[:, :-1]
    scored[:, -1] = True
    return next_tokens(tokens, scored)
