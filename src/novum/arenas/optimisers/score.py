"""The trusted score: truths are drawn again by the lab; a worker's predictions are all it takes.

An artefact is little-endian floats, [rows, outputs]: of a quadratic the products, otherwise logits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from novum.arenas.digits import data as digits
from novum.arenas.optimisers.data import Floats, answers, held_out_rows, quadratic
from novum.arenas.optimisers.options import BYTES, CLASSES, Options
from novum.core.model.trial import ArtefactError, Role

LEAST, MOST = 1e-9, 1e9
"""Losses are held between these: below single precision says nothing."""


def score(options: Options, role: Role, seed: int, artefact: bytes) -> float:
    """Loss on held-out examples in nats, or of a quadratic over that of W = 0; of digits, accuracy.

    Raises ArtefactError.
    """
    if options.task == "digits":
        return float(marks(options, role, seed, artefact).mean())
    loss = (
        _squared(options, role, seed, artefact) if options.task == "quadratic" else _nats(options, role, seed, artefact)
    )
    return float(np.clip(loss, LEAST, MOST))


def _squared(options: Options, role: Role, seed: int, artefact: bytes) -> float:
    task, rows = quadratic(options, role, seed), held_out_rows(options, role, seed)
    said = _read(artefact, len(rows), options.units(role))
    truth = rows @ task.inputs @ task.truth @ task.outputs
    return float(((said - truth) ** 2).mean() / (truth**2).mean())


def _nats(options: Options, role: Role, seed: int, artefact: bytes) -> float:
    """Cross-entropy of the softmax of logits."""
    said = _read(artefact, options.held_out, BYTES if options.task == "bytes" else CLASSES)
    said = said - said.max(1, keepdims=True)
    right = np.take_along_axis(said, answers(options, role, seed)[:, None], 1)[:, 0]
    return float((np.log(np.exp(said).sum(1)) - right).mean())


def marks(options: Options, role: Role, seed: int, artefact: bytes) -> npt.NDArray[np.bool_]:
    """Which digits of a part have the largest logit at their class, [rows]; the artefact has all parts."""
    said = _read(artefact, digits.SCORED.size, CLASSES)
    start = 0
    for part, rows in digits.PARTS.items():
        if part == role:
            break
        start += rows.size
    right: npt.NDArray[np.bool_] = said[start : start + digits.PARTS[role].size].argmax(1) == answers(
        options, role, seed
    )
    return right


def _read(artefact: bytes, rows: int, outputs: int) -> Floats:
    if not isinstance(artefact, bytes) or len(artefact) != rows * outputs * 4:
        raise ArtefactError(f"the artefact must be {rows} x {outputs} floats of 4 bytes")
    said = np.frombuffer(artefact, "<f4").reshape(rows, outputs)
    if not np.isfinite(said).all():
        raise ArtefactError("predictions must be finite")
    return said.astype(np.float64)
