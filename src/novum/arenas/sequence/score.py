"""The trusted score: sequences and answers are drawn again from the trial's seed; a worker's guesses are all it takes.

An artefact is the guesses for each task in turn. For accuracy: the likeliest answer at every labelled position as
little-endian uint16. For loss: minus the log-probability of every answer in sixteenths of a nat as uint8, at most 15.9
nats; the lab makes probabilities of them that sum to one, so that no worker can claim more than there is (the rounding
costs about 2e-4 nats).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.task_list import NamedTask, scored_on, trained_on
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.trial import ArtefactError, Role
from novum.population.streams import stream

NATS = 16.0
"""Steps of a log-probability per nat."""
LARGEST = 254
"""Of these steps; what is less probable is told as this."""


def training_sequences(options: Options, one: NamedTask, role: Role, seed: int, block: int, rows: int) -> Batch:
    """A block of the training stream of a seed; blocks are independent."""
    batch = trained_on(one, role).batch(stream(seed, f"{one.name}/train/{block}"), rows)
    return _shuffled(batch, options, one, stream(seed, f"{one.name}/train/{block}/shuffled"))


@lru_cache(maxsize=8)
def held_out_sequences(options: Options, one: NamedTask, role: Role, seed: int) -> Batch:
    """The sequences that a trial is scored on."""
    batch = scored_on(one, role, options.stretch).batch(stream(seed, f"{one.name}/held-out"), options.held_out)
    return _shuffled(batch, options, one, stream(seed, f"{one.name}/held-out/shuffled"))


def _shuffled(batch: Batch, options: Options, one: NamedTask, rng: np.random.Generator) -> Batch:
    """With the option `shuffled`, answers that have nothing to do with the sequence."""
    if not options.shuffled:
        return batch
    answers = rng.integers(0, one.task.outputs, size=batch.answers.shape)
    return Batch(batch.tokens, batch.positions, answers, batch.scored)


def scores(options: Options, role: Role, seed: int, artefact: bytes) -> list[float]:
    """Accuracy in [0, 1], or loss in nats, for each task in turn. Raises ArtefactError."""
    if not isinstance(artefact, bytes):
        raise ArtefactError(f"the artefact must be bytes, not {type(artefact).__name__}")
    parts = [held_out_sequences(options, one, role, seed) for one in options.named]
    sizes = [
        batch.answers.size * (2 if options.metric == "accuracy" else one.task.outputs)
        for batch, one in zip(parts, options.named, strict=True)
    ]
    if len(artefact) != sum(sizes):
        raise ArtefactError(f"the artefact has {len(artefact)} bytes instead of {sum(sizes)}")
    out, start = [], 0
    for batch, one, size in zip(parts, options.named, sizes, strict=True):
        piece = artefact[start : start + size]
        out.append(_accuracy(batch, one, piece) if options.metric == "accuracy" else _loss(batch, one, piece))
        start += size
    return out


def _accuracy(batch: Batch, one: NamedTask, piece: bytes) -> float:
    guesses = np.frombuffer(piece, dtype="<u2").reshape(batch.answers.shape)
    if int(guesses.max()) >= one.task.outputs:
        last = one.task.outputs - 1
        raise ArtefactError(f"the artefact names answer {int(guesses.max())} of {one.name}; the last one is {last}")
    return float((guesses == batch.answers)[batch.scored].mean())


def _loss(batch: Batch, one: NamedTask, piece: bytes) -> float:
    raw = np.frombuffer(piece, dtype=np.uint8).reshape(*batch.answers.shape, one.task.outputs)
    if int(raw.max()) > LARGEST:
        raise ArtefactError(f"the artefact gives an answer of {one.name} more than {LARGEST / NATS} nats")
    logits = raw[batch.scored].astype(np.float64) / -NATS
    chosen = np.take_along_axis(logits, batch.answers[batch.scored][:, None], axis=1)[:, 0]
    return float((np.log(np.exp(logits).sum(1)) - chosen).mean())


def encode_loss(log_probabilities: npt.NDArray[np.float32]) -> bytes:
    """Log-probabilities [..., outputs] as the artefact carries them."""
    rounded: npt.NDArray[np.uint8] = np.clip(np.rint(-log_probabilities * NATS), 0, LARGEST).astype(np.uint8)
    return rounded.tobytes()


def digests(batch: Batch) -> Iterator[str]:
    """A digest of each sequence with its answers."""
    for tokens, answers in zip(batch.tokens, batch.answers, strict=True):
        yield hashlib.sha256(tokens.tobytes() + answers.tobytes()).hexdigest()
