"""The trusted score: labels of the scored parts never leave the lab; nothing the worker says but its digits counts."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from novum.arenas.digits.data import CLASSES, PARTS, SCORED, Ints, answers, images
from novum.arenas.digits.options import Options
from novum.core.model.trial import ArtefactError, Role

Marks = npt.NDArray[np.bool_]


def marks(options: Options, seed: int, artefact: bytes, role: Role) -> tuple[Marks, Ints]:
    """Which images of a part were read correctly, and what they show, [rows of the part] each. Raises ArtefactError.

    The artefact is one byte, 0 to 9, for each row of data.SCORED in that order: all parts, whichever is asked for.
    """
    if not isinstance(artefact, bytes):
        raise ArtefactError(f"the artefact must be bytes, not {type(artefact).__name__}")
    if len(artefact) != SCORED.size:
        raise ArtefactError(f"the artefact has {len(artefact)} bytes instead of {SCORED.size}")
    said = np.frombuffer(artefact, dtype=np.uint8)
    if int(said.max()) >= CLASSES:
        raise ArtefactError(f"the artefact names digit {int(said.max())}; the last one is {CLASSES - 1}")
    start = 0
    for part, rows in PARTS.items():
        if part == role:
            break
        start += rows.size
    truth = answers(options, seed, role)
    right: Marks = said[start : start + truth.size] == truth
    return right, truth


def worst(right: Marks, truth: Ints) -> float:
    """The smallest accuracy on one digit, among those that occur."""
    each = np.bincount(truth, weights=right, minlength=CLASSES)
    count = np.bincount(truth, minlength=CLASSES)
    return float((each[count > 0] / count[count > 0]).min())


def digests(rows: Ints) -> frozenset[str]:
    """Digests of images without noise and labels, so that one image is one example whatever was drawn for it."""
    return frozenset(hashlib.sha256(image.tobytes()).hexdigest() for image in images(rows))
