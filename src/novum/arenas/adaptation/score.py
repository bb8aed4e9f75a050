"""The trusted score: tasks are drawn again by the lab; the answers of a worker are all it takes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from novum.arenas.adaptation.episodes import Floats, Truth, truth
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.texts import SYMBOLS
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Role

FINENESS = 16
"""Steps of a bit in which a worker says how improbable a character is, from 0 to 255 of them."""
SAVED = "bits saved per kilobyte of a task"
BYTES = 4
"""Of a number that a task keeps or changes."""


def written(answers: NDArray[np.float32]) -> bytes:
    """Answers [levels, tasks, questions, outputs] as an artefact.

    One output: little-endian floats. A distribution, given by logits: minus the logarithms to base two of all
    characters, in steps of 1 / FINENESS, a byte each; the lab makes probabilities of them that add up to one.
    """
    if answers.shape[-1] == 1:
        return answers.astype("<f4").tobytes()
    highest = answers.max(-1, keepdims=True)
    total = highest + np.log(np.exp(answers - highest).sum(-1, keepdims=True))
    bits: NDArray[np.float32] = (total - answers) / math.log(2)
    return np.clip(np.rint(bits * FINENESS), 0, 255).astype(np.uint8).tobytes()


def score(options: Options, role: Role, seed: int, artefact: bytes, kept: int = 0) -> Score:
    """The mean over numbers of examples, and each of them; see `by_level`. Raises ArtefactError.

    kept: numbers that a task keeps or changes. In text from 0 examples on, the bits of all questions of a task that
    the last examples save, over the kilobytes of those numbers, are told as well.
    """
    shape = (len(options.levels), options.exam, options.queries)
    said = _texts(shape, artefact) if options.text else _numbers(shape, artefact)
    found = by_level(options, said, truth(options, role, seed))
    others = {level_name(options, k): float(value) for k, value in zip(options.levels, found, strict=True)}
    if saves(options):
        saved = float(found[0] - found[-1]) * options.queries
        others[SAVED] = saved / (BYTES * kept / 1000) if kept else 0.0
    return Score(float(found.mean()), others)


def saves(options: Options) -> bool:
    """Whether it can be told what a task's numbers are worth."""
    return options.text and options.levels[0] == 0


def _numbers(shape: tuple[int, ...], artefact: bytes) -> Floats:
    if not isinstance(artefact, bytes) or len(artefact) != 4 * math.prod(shape):
        raise ArtefactError(f"the artefact must be {math.prod(shape)} floats, one for each question")
    words = np.frombuffer(artefact, "<f4")
    if not np.isfinite(words).all():
        raise ArtefactError("answers must be finite")
    return words.astype(np.float64).reshape(shape)


def _texts(shape: tuple[int, ...], artefact: bytes) -> Floats:
    """Bits of every character for each question, [*shape, SYMBOLS], probabilities adding up to one."""
    if not isinstance(artefact, bytes) or len(artefact) != SYMBOLS * math.prod(shape):
        raise ArtefactError(f"the artefact must be {SYMBOLS * math.prod(shape)} bytes, one for each character")
    bits = np.frombuffer(artefact, np.uint8).reshape(*shape, SYMBOLS) / FINENESS
    if (bits.min(-1) > math.log2(SYMBOLS) + 1 / FINENESS).any():
        raise ArtefactError("of every question some character must be as probable as in a guess")
    total: Floats = np.log2(np.exp2(-bits).sum(-1, keepdims=True))
    return bits + total


def by_level(options: Options, said: Floats, known: Truth) -> Floats:
    """For each number of examples: the risk over the Bayes risk, at least 1; the share of right signs; or bits."""
    if options.text:
        places = known.means.astype(np.int64)[..., None]
        bits: Floats = np.take_along_axis(said, places, -1)[..., 0].mean((1, 2))
        return bits
    if options.classes:
        shares: Floats = ((said > 0) == (known.means > 0)).mean((1, 2))
        return shares
    ratios: Floats = 1 + ((said - known.means) ** 2).mean((1, 2)) / known.risks.mean((1, 2))
    return ratios


def level_name(options: Options, shots: int) -> str:
    """What the score after so many examples is called."""
    word = "bits a character" if options.text else "accuracy" if options.classes else "risk over the Bayes risk"
    return f"{word} after {shots}"
