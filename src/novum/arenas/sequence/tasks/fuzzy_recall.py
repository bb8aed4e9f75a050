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
        words_BxNxW, sizes_BxNx2, new_BxN = self._pairs(rng, rows)
        room = self.length + 1 - self.key_tokens - self.value_tokens
        kept_B = (sizes_BxNx2.sum(axis=2).cumsum(axis=1) <= room).sum(axis=1)
        again_B = (rng.random(rows) * kept_B).astype(np.int64)
        # The pair that comes again takes the place after those that are kept, which is never the last of all.
        for part_BxNx in (words_BxNxW, sizes_BxNx2):
            part_BxNx[every, kept_B] = part_BxNx[every, again_B]
        new_BxN[every, kept_B] = False
        sizes_BxNx2[np.arange(new_BxN.shape[1]) > kept_B[:, None]] = 0

        place_W = np.concatenate([np.arange(self.key_tokens), np.arange(self.value_tokens)])
        value_W = np.arange(len(place_W)) >= self.key_tokens
        used_BxNxW = place_W < sizes_BxNx2[:, :, value_W.astype(np.int64)]
        marked_BxNxW = 2 * words_BxNxW + (value_W & ~new_BxN[:, :, None])

        places = np.arange(self.length + 1) >= self.length + 1 - sizes_BxNx2.sum(axis=(1, 2))[:, None]
        written = np.full(places.shape, 2 * (self.vocabulary - 1), dtype=np.int64)
        written[places] = marked_BxNxW[used_BxNxW]
        return next_tokens(written >> 1, written[:, 1:] % 2 == 1)

    def _pairs(self, rng: np.random.Generator, rows: int) -> tuple[Ints, Ints, Bools]:
        """More pairs than fit: their tokens [B, N, W], sizes of key and value [B, N, 2], and whether the key is new."""
        keys = (self.vocabulary - 1) // 2
        shortest = self.key_tokens if self.longest_keys else 1
        count = (self.length + 1 - self.key_tokens - self.value_tokens) // (shortest + 1) + 1
        key_BxNxk, key_size = _words(rng, (rows, count), shortest, self.key_tokens, keys)
        value_BxNxv, value_size = _words(rng, (rows, count), 1, self.value_tokens, self.vocabulary - 1 - keys)

        name_BxN = np.zeros_like(key_size)
        for letter in range(self.key_tokens):
            name_BxN = name_BxN * (keys + 1) + (key_BxNxk[:, :, letter] + 1) * (letter < key_size)
        first_BxN = first_place(name_BxN)
        flat = (first_BxN + count * np.arange(rows)[:, None]).ravel()
        value_BxNxv = value_BxNxv.reshape(-1, self.value_tokens)[flat].reshape(value_BxNxv.shape)
        tokens = np.concatenate([key_BxNxk, keys + value_BxNxv], axis=2)
        sizes = np.stack([key_size, value_size.ravel()[flat].reshape(first_BxN.shape)], axis=2)
        return tokens, sizes, first_BxN == np.arange(count)

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
) -> tuple[Ints, Ints]:
    """Words without a repeated letter, [*shape, longest], and how many of the letters are used, [*shape]."""
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
    return np.stack(letters, axis=2), rng.integers(shortest, longest + 1, shape)
