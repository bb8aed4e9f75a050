"""The trusted score: answers are drawn again from the trial's seed; nothing the worker says but its guesses counts."""

from __future__ import annotations

import numpy as np

from novum.arenas.recall.data import HELD_OUT, sequences
from novum.arenas.recall.options import Options
from novum.core.errors import ArtefactError


def accuracy(options: Options, seed: int, artefact: bytes) -> float:
    """The share of held-out queries answered correctly, in [0, 1]. Raises ArtefactError.

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
    return float(np.mean(guesses == answers))
