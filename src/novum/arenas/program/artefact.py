"""What a trial of a program leaves: its outputs, what was measured around it, and how it ended. Data, never code."""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novum.arenas.program.manifest import Output
from novum.core.model.trial import ArtefactError, OutcomeKind
from novum.text.bounded_json import JsonTooLargeError, load_json
from novum.text.canonical_json import canonical

if TYPE_CHECKING:
    import numpy.typing as npt

_LENGTH = struct.Struct("!I")
_MAX_HEADER = 1 << 20
_MAX_ARRAY_HEADER = 10_000


@dataclass(frozen=True)
class Artefact:
    """ended: nothing, or the way it failed and why. said: what the candidate reports of itself, when it is asked to.

    Nothing that is packed differs from run to run of the same candidate and seed, so that a replay can compare bytes;
    remarks, for whoever proposes next, are not packed.
    """

    outputs: Mapping[str, bytes]
    ended: OutcomeKind | None = None
    cause: str = ""
    said: str = ""
    remarks: str = ""

    def packed(self) -> bytes:
        """The artefact as bytes; equal artefacts give equal bytes."""
        names = sorted(self.outputs)
        header = {
            "outputs": [[name, len(self.outputs[name])] for name in names],
            "ended": None if self.ended is None else str(self.ended),
            "cause": self.cause,
            "said": self.said,
        }
        head = canonical(header)
        return b"".join((_LENGTH.pack(len(head)), head, *(self.outputs[name] for name in names)))


def unpack(data: bytes) -> Artefact:
    """The artefact of packed bytes. Raises ArtefactError."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        if length > _MAX_HEADER:
            raise ValueError("header too long")
        header: dict[str, Any] = load_json(data[4 : 4 + length])
        outputs, place = {}, 4 + length
        for name, size in header["outputs"]:
            if type(size) is not int or size < 0:
                raise ValueError("no size")
            outputs[str(name)] = data[place : place + size]
            place += size
        if place != len(data):
            raise ValueError("wrong length")
        ended = None if header["ended"] is None else OutcomeKind(header["ended"])
        return Artefact(outputs, ended, str(header["cause"]), str(header["said"]))
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(f"no artefact of a program: {error}") from None


def check_output(wanted: Output, data: bytes) -> None:
    """Hold an output to what was declared of it; nothing in it is ever run. Raises ArtefactError."""
    if len(data) > wanted.max_bytes:
        raise ArtefactError(f"{wanted.name} has {len(data)} bytes, allowed are {wanted.max_bytes}")
    if wanted.name.endswith(".npy"):
        _check_array(wanted, data)
    elif wanted.name.endswith(".json"):
        try:
            load_json(data)
        except JsonTooLargeError as error:
            raise ArtefactError(f"{wanted.name} is not JSON that is read: {error}") from None
        except ValueError:
            raise ArtefactError(f"{wanted.name} is not JSON") from None


def _check_array(wanted: Output, data: bytes) -> None:
    import numpy as np

    try:
        shape, array = _array(data)
    except Exception as error:  # the header is text that numpy hands to Python's own parser: it fails in many ways
        raise ArtefactError(f"{wanted.name} is no plain array: {str(error)[:200] or type(error).__name__}") from None
    dtype = array.dtype
    if wanted.dtype and dtype != np.dtype(wanted.dtype):
        raise ArtefactError(f"{wanted.name} holds {dtype}, expected {wanted.dtype}")
    if wanted.shape is not None and not _matches(shape, wanted.shape):
        raise ArtefactError(f"{wanted.name} has the shape {shape}, expected {wanted.shape}")
    if dtype.kind in "fc" and not np.isfinite(array).all():
        raise ArtefactError(f"{wanted.name} holds NaN or infinity")


def _array(data: bytes) -> tuple[tuple[int, ...], npt.NDArray[Any]]:
    """Shape and flat values of a .npy file. Raises anything for a forged one, before it takes any memory."""
    import numpy as np

    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shape, _, dtype = read(file, max_header_size=_MAX_ARRAY_HEADER)
    if dtype.hasobject or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("objects inside, or a shape that is none")
    if dtype.itemsize == 0 or math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("another size than its header says")
    return shape, np.frombuffer(data, dtype, offset=file.tell())


def _matches(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (-1, got) for got, want in zip(shape, wanted, strict=True))
