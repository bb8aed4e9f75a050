"""The trusted score: labels are drawn again by the lab; a worker's guesses, one byte each, are all it takes."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from novum.arenas.digits import data as digits
from novum.arenas.local_learning.data import answers
from novum.arenas.local_learning.mnist1d import CLASSES, Floats
from novum.arenas.local_learning.options import Options
from novum.core.model.trial import ArtefactError, Role

Marks = npt.NDArray[np.bool_]


def marks(options: Options, role: Role, seed: int, artefact: bytes) -> Marks:
    """Which examples of a part were classified correctly, [rows]. Raises ArtefactError.

    The artefact is one byte, 0 to 9, for each row that `data.questions` gives.
    """
    if not isinstance(artefact, bytes):
        raise ArtefactError(f"the artefact must be bytes, not {type(artefact).__name__}")
    expected = digits.SCORED.size if options.task == "digits" else options.held_out
    if len(artefact) != expected:
        raise ArtefactError(f"the artefact has {len(artefact)} bytes instead of {expected}")
    said = np.frombuffer(artefact, dtype=np.uint8)
    if int(said.max()) >= CLASSES:
        raise ArtefactError(f"the artefact names class {int(said.max())}; the last one is {CLASSES - 1}")
    if options.task == "digits":
        said = said[_part(role)]
    right: Marks = said == answers(options, role, seed)
    return right


def _part(role: Role) -> slice:
    """Where the rows of a part stand among those of all parts."""
    start = 0
    for part, rows in digits.PARTS.items():
        if part == role:
            break
        start += rows.size
    return slice(start, start + digits.PARTS[role].size)


def digests(inputs: Floats) -> frozenset[str]:
    """A digest of each example without its label."""
    return frozenset(hashlib.sha256(row.tobytes()).hexdigest() for row in inputs)
