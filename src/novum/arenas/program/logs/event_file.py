"""Scalars in TensorBoard's event files, as torch, tensorboardX and TensorFlow write them.

A file is a row of records: length (u64), masked CRC-32C of it, data, masked CRC-32C of these (all little endian). The
data are a message Event { double wall_time = 1; int64 step = 2; Summary summary = 5 }, with Summary { repeated Value
value = 1 } and Value { string tag = 1; float simple_value = 2; TensorProto tensor = 8 }. Sources:
https://www.tensorflow.org/tutorials/load_data/tfrecord, tensorflow/core/util/event.proto, framework/summary.proto and
framework/tensor.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from novum.arenas.program.logs.protobuf_fields import BYTES, FIXED32, FIXED64, VARINT, fields, floats, texts
from novum.core.model.trial import ArtefactError

MARK = ".tfevents."
_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_FLOAT, _DOUBLE = 1, 2
"""Types of tensors, DT_FLOAT and DT_DOUBLE."""
_LONGEST_TAG = 300


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number under a tag. wall_time: seconds since the epoch."""

    tag: str
    value: float
    step: int
    wall_time: float


def is_event_file(path: str) -> bool:
    """Whether a file is TensorBoard's, by its name."""
    return MARK in PurePosixPath(path).name


def scalars(path: str, data: bytes) -> Iterator[Scalar]:
    """The scalars of a file in their order. Raises ArtefactError where a sum is wrong.

    A last record without its end is passed over: a writer that was killed leaves one.
    """
    for record, crc in _records(path, data):
        try:
            found = list(_event(record))
        except ValueError as error:
            raise ArtefactError(f"{path} is no event file: {error}") from None
        if found and masked_crc(record) != crc:  # of images and texts, which may be long, nobody needs it
            raise ArtefactError(f"{path} is broken: a record has a wrong check sum")
        yield from found


def _records(path: str, data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at + _HEAD.size <= len(data):
        size, crc = _HEAD.unpack_from(data, at)
        if masked_crc(data[at : at + 8]) != crc:
            raise ArtefactError(f"{path} is no event file: a length has a wrong check sum")
        at += _HEAD.size
        if at + size + _CRC.size > len(data):
            return
        yield data[at : at + size], _CRC.unpack_from(data, at + size)[0]
        at += size + _CRC.size


def _event(data: bytes) -> Iterator[Scalar]:
    wall_time, step, summaries = 0.0, 0, []
    for number, kind, value in fields(data):
        if number == 1 and kind == FIXED64:
            (wall_time,) = floats(value, kind, double=True)
        elif number == 2 and kind == VARINT and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for one in texts(summary, 1):
            yield from _value(one, step, wall_time)


def _value(data: bytes, step: int, wall_time: float) -> Iterator[Scalar]:
    tag, number = "", None
    for field, kind, value in fields(data):
        if field == 1 and isinstance(value, bytes):
            tag = value[:_LONGEST_TAG].decode(errors="replace")
        elif field == 2 and kind == FIXED32:
            (number,) = floats(value, kind, double=False)
        elif field == 8 and isinstance(value, bytes):
            number = _single(value)
    if tag and number is not None:
        yield Scalar(tag, number, step, wall_time)


def _single(tensor: bytes) -> float | None:
    """The number in a tensor of floats or doubles with one element; None for any other."""
    found: list[float] = []
    dtype = next((value for field, kind, value in fields(tensor) if field == 1 and kind == VARINT), 0)
    if dtype not in (_FLOAT, _DOUBLE):
        return None
    wide = dtype == _DOUBLE
    for field, kind, value in fields(tensor):
        if field == (6 if wide else 5) or (field == 4 and value):
            found += floats(value, BYTES if field == 4 else kind, double=wide)
    return found[0] if len(found) == 1 else None


def masked_crc(data: bytes) -> int:
    """The masked CRC-32C (Castagnoli) of TFRecord."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        found.append(byte)
    return tuple(found)
