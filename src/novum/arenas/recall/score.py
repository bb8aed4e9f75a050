"""The trusted score: answers are drawn again from the trial's seed; nothing the worker says but its guesses counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from novum.arenas.recall.data import HELD_OUT, sequences
from novum.arenas.recall.options import Options
from novum.core.model.trial import ArtefactError


def marks(options: Options, seed: int, artefact: bytes) -> npt.NDArray[np.bool_]:
    """Which held-out queries were answered correctly, [sequences, queries]. Raises ArtefactError.

    The artefact is the guessed token ids as little-endian uint16, held-out sequences x queries, each below the
    vocabulary size.
    """
    if not isinstance(artefact, bytes):
        raise ArtefactError(f"the artefact must be bytes, not {type(artefact).__name__}")
    wanted = 2 * options.held_out * options.queries
    if len(artefact) != wanted:
        raise ArtefactError(f"the artefact has {len(artefact)} bytes instead of {wanted}")
    guesses = np.frombuffer(artefact, dtype="<u2").reshape(options.held_out, options.queries)
    if int(guesses.max()) >= options.vocabulary:
        last = options.vocabulary - 1
        raise ArtefactError(f"the artefact names token {int(guesses.max())}; the vocabulary ends at {last}")
    answers = sequences(options, seed, HELD_OUT, 0, options.held_out).answers
    right: npt.NDArray[np.bool_] = guesses == answers
    return right


def examples(options: Options, seed: int, name: str, count: int) -> Iterator[str]:
    """Digests of the first `count` sequences of a stream with their answers."""
    batch = sequences(options, seed, name, 0, count)
    for tokens, answers in zip(batch.tokens, batch.answers, strict=True):
        yield hashlib.sha256(tokens.tobytes() + answers.tobytes()).hexdigest()
