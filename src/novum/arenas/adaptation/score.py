"""The trusted score: tasks are drawn again by the lab; the answers of a worker are all it takes."""

from __future__ import annotations

import numpy as np

from novum.arenas.adaptation.episodes import Floats, Truth, truth
from novum.arenas.adaptation.options import Options
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Role


def score(options: Options, role: Role, seed: int, artefact: bytes) -> Score:
    """The mean over numbers of examples, and each of them; see `by_level`. Raises ArtefactError."""
    shape = (len(options.levels), options.exam, options.queries)
    if not isinstance(artefact, bytes) or len(artefact) != 4 * np.prod(shape):
        raise ArtefactError(f"the artefact must be {np.prod(shape)} floats, an answer for each number of examples")
    words = np.frombuffer(artefact, "<f4")
    if not np.isfinite(words).all():
        raise ArtefactError("answers must be finite")
    said = words.astype(np.float64).reshape(shape)
    found = by_level(options, said, truth(options, role, seed))
    others = {level_name(options, k): float(value) for k, value in zip(options.levels, found, strict=True)}
    return Score(float(found.mean()), others)


def by_level(options: Options, said: Floats, known: Truth) -> Floats:
    """For each number of examples: the share of right signs, or the risk over the Bayes risk, which is at least 1."""
    if options.classes:
        shares: Floats = ((said > 0) == (known.means > 0)).mean((1, 2))
        return shares
    ratios: Floats = 1 + ((said - known.means) ** 2).mean((1, 2)) / known.risks.mean((1, 2))
    return ratios


def level_name(options: Options, shots: int) -> str:
    """What the score after so many examples is called."""
    return f"{'accuracy' if options.classes else 'risk over the Bayes risk'} after {shots}"
