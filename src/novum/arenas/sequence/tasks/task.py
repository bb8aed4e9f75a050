"""What a task offers: batches of any length from a random generator, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from novum.core.model.trial import Role

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences of T tokens with Q labelled positions each.

    `tokens` [B, T] in 0..vocabulary-1; `positions` [B, Q], ascending, of the tokens whose output is trained; `answers`
    [B, Q] in 0..outputs-1, the output wanted there; `scored` [B, Q], those that count for the score: a task may train
    on every token and score a few (MAD does), and where nothing is scored in a row the row does not count.

    The one exception to "ascending": in a task that `ReadsFromLastToken` every position is T-1.
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
        """Least expected negative log-likelihood of a model that sees the whole past, in nats per scored position.

        None where it is not known exactly.
        """
        ...

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        """`rows` independent sequences. All randomness comes from `rng`."""
        ...


class Varied(Task, Protocol):
    """A task whose searching, confirming and final trials use different generator parameters."""

    def variant(self, role: Role) -> Task:
        """The task that a trial of `role` is trained and scored on; for SEARCH the task itself.

        GATE and FINAL differ from it and from each other in parameters of the generator (one key more, another graph),
        never in `vocabulary` or `outputs`. Raises StudyError when no neighbour lies within the bounds of the options.
        """
        ...


@runtime_checkable
class Extrapolates(Protocol):
    """A task that is defined at any length, so that a model can be scored on longer sequences than it is trained on."""

    def longer(self, factor: int) -> Task:
        """The same task with about `factor` times the tokens, factor 2 to 8; `vocabulary` and `outputs` are the same.

        Raises StudyError when that is longer than the options allow.
        """
        ...


@runtime_checkable
class ScoredOnOthers(Protocol):
    """A task whose scored sequences come from another distribution (other files, other keys) than the training ones."""

    def held_out(self) -> Task:
        """The task that is scored after training on this one; of the same `vocabulary`, `outputs` and `length`."""
        ...


@runtime_checkable
class ReadsFromLastToken(Protocol):
    """A task whose answers are all read from the state after the last token, so that the model needs a decoder.

    All positions are T-1, and answer j belongs to slot j of the decoder: 0 <= j < `queries`.
    """

    @property
    def reads_from_last_token(self) -> Literal[True]:
        """Says that this is such a task."""
        ...


class FromFiles(Protocol):
    """A task whose sequences are cut from files of this machine, so that they may differ on another."""

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents of the files, those that are trained on and those that are scored."""
        ...
