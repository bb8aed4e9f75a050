"""What a task offers: batches of any length from a random generator, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences of T tokens with Q labelled positions each.

    `tokens` [B, T] in 0..vocabulary-1; `positions` [B, Q], ascending, of the tokens whose output is trained; `answers`
    [B, Q] in 0..outputs-1, the output wanted there; `scored` [B, Q], those that count for the score: a task may train
    on every token and score a few (MAD does), and where nothing is scored in a row the row does not count.
    """

    tokens: Ints
    positions: Ints
    answers: Ints
    scored: Bools


class Task(Protocol):
    """A distribution over labelled sequences. Sizes never depend on the draw, so that a training step has one shape."""

    @property
    def vocabulary(self) -> int:
        """Input tokens are 0..vocabulary-1."""
        ...

    @property
    def outputs(self) -> int:
        """Answers are 0..outputs-1."""
        ...

    @property
    def length(self) -> int:
        """T, tokens of a training sequence."""
        ...

    @property
    def queries(self) -> int:
        """Q, labelled positions of a training sequence; all of them in order when it equals `length`."""
        ...

    @property
    def chance(self) -> float:
        """Expected accuracy on scored positions of the best guess that ignores the input."""
        ...

    @property
    def entropy(self) -> float | None:
        """Expected negative log-likelihood, nats per scored position, of the best model there can be that sees the
        whole past; None where it is not known exactly."""
        ...

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        """`rows` independent sequences. All randomness comes from `rng`."""
        ...
