"""Fuzzy in-context recall of MAD: keys and values are words of one to a few tokens."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import lengthened, neighbour
from novum.arenas.sequence.tasks.sampling import first_place, next_tokens
from novum.arenas.sequence.tasks.task import Batch, Bools, Ints
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role


@dataclass(frozen=True, slots=True)
class FuzzyInContextRecall:
    """Fuzzy in-context recall of MAD, Poli et al. (arXiv 2403.17844).

    Tokens: V-1 pads on the left; of the V' = V-1 others, 0..V'/2-1 spell keys and the rest values. A key is 1 to
    `key_tokens` tokens long, a value 1 to `value_tokens`, each length and each word without a repeated token equally
    likely. Each sequence has a random map from keys to values. As many pairs as fit are written, then one of them
    again. Trained on every next token; scored on all tokens of the value of a key that has occurred before.

    As published, the model is scored on keys of the largest length only (`held_out`, or `longest_keys`), where the
    whole past determines the value: in training a key may turn out to be longer, so `entropy` is not known.

    Published: V = 16, T = 128, up to 3 tokens. There a key is chosen first and put among the pairs at a random place.
    """

    length: Annotated[int, Ge(4), Le(1 << 16)] = 64
    vocabulary: Annotated[int, Ge(4), Le(1 << 10)] = 16
    key_tokens: Annotated[int, Ge(1), Le(4)] = 2
    value_tokens: Annotated[int, Ge(1), Le(4)] = 2
    longest_keys: bool = False

    def __post_init__(self) -> None:
        """Raise StudyError when values contradict each other."""
        words = self.key_tokens + self.value_tokens
        if self.length + 1 < 2 * words:
            raise StudyError(f"fuzzy_in_context_recall: length must be at least {2 * words - 1}, not {self.length}")
        keys = (self.vocabulary - 1) // 2
        if self.key_tokens > keys or self.value_tokens > self.vocabulary - 1 - keys:
            raise StudyError(
                f"fuzzy_in_context_recall: words of {self.key_tokens} and {self.value_tokens} different tokens need a "
                f"larger vocabulary than {self.vocabulary}"
            )

    @property
    def outputs(self) -> int:
        return self.vocabulary

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        return 1.0 / (self.vocabulary - 1 - (self.vocabulary - 1) // 2)

    @property
    def entropy(self) -> float | None:
        return 0.0 if self.longest_keys or self.key_tokens == 1 else None

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        every = np.arange(rows)
        word_BxNxW, used_BxNxW, new_BxN = self._pairs(rng, rows)
        room = self.length + 1 - self.key_tokens - self.value_tokens
        kept_BxN = used_BxNxW.sum(axis=2).cumsum(axis=1) <= room
        again_B = (rng.random(rows) * kept_BxN.sum(axis=1)).astype(np.int64)

        words = np.concatenate([word_BxNxW, word_BxNxW[every, again_B][:, None]], axis=1)
        used = np.concatenate([used_BxNxW & kept_BxN[:, :, None], used_BxNxW[every, again_B][:, None]], axis=1)
        recalled = np.zeros_like(used)
        recalled[:, :-1, self.key_tokens :] = ~new_BxN[:, :, None]
        recalled[:, -1, self.key_tokens :] = True

        places = np.arange(self.length + 1) >= self.length + 1 - used.sum(axis=(1, 2))[:, None]
        written = np.full(places.shape, 2 * (self.vocabulary - 1), dtype=np.int64)
        written[places] = (2 * words + recalled)[used]
        return next_tokens(written >> 1, written[:, 1:] % 2 == 1)

    def _pairs(self, rng: np.random.Generator, rows: int) -> tuple[Ints, Bools, Bools]:
        """As many pairs as may fit: their tokens and which of them are used, [B, N, W], and whether the key is new."""
        keys = (self.vocabulary - 1) // 2
        shortest = self.key_tokens if self.longest_keys else 1
        shape = rows, (self.length + 1 - self.key_tokens - self.value_tokens) // (shortest + 1)
        key_BxNxk, key_used = _words(rng, shape, shortest, self.key_tokens, keys)
        value_BxNxv, value_used = _words(rng, shape, 1, self.value_tokens, self.vocabulary - 1 - keys)

        name_BxN = (np.where(key_used, key_BxNxk + 1, 0) * (keys + 1) ** np.arange(self.key_tokens)).sum(axis=2)
        first_BxN = first_place(name_BxN)
        every = np.arange(rows)[:, None]
        tokens = np.concatenate([key_BxNxk, keys + value_BxNxv[every, first_BxN]], axis=2)
        used = np.concatenate([key_used, value_used[every, first_BxN]], axis=2)
        return tokens, used, first_BxN == np.arange(shape[1])

    def held_out(self) -> FuzzyInContextRecall:
        """Scored on keys of the largest length, as published."""
        return replace(self, longest_keys=True)

    def variant(self, role: Role) -> FuzzyInContextRecall:
        """Gate: eight tokens more. Final: sixteen tokens more. Else fewer."""
        length = self.length
        gate = [{"length": length + 8}, {"length": length - 8}, {"length": length - 1}]
        final = [{"length": length + 16}, {"length": length - 16}, {"length": length - 2}]
        return neighbour(self, role, gate, final)

    def longer(self, factor: int) -> FuzzyInContextRecall:
        """`factor` times the tokens."""
        return lengthened(self, factor, length=factor * self.length)


def _words(
    rng: np.random.Generator, shape: tuple[int, int], shortest: int, longest: int, alphabet: int
) -> tuple[Ints, Bools]:
    """Words without a repeated letter, [*shape, longest], and which letters are used: the first `shortest` or more."""
    letters: list[Ints] = []
    ascending: list[Ints] = []
    for taken in range(longest):
        letter = rng.integers(0, alphabet - taken, shape)
        for other in ascending:  # the n-th of the letters that are left
            letter += letter >= other
        letters.append(letter)
        for rank, other in enumerate(ascending):
            ascending[rank], letter = np.minimum(letter, other), np.maximum(letter, other)
        ascending.append(letter)
    size = rng.integers(shortest, longest + 1, shape)
    return np.stack(letters, axis=2), np.arange(longest) < size[:, :, None]
