"""The fields of a message of Protocol Buffers by their numbers, without its schema. What is forged is refused.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")
Value = int | bytes


def fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Number, wire type and value of each field in its order: a whole number for varints, else bytes.

    Raises ValueError for bytes that are no message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field has no number")
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"a field has the wire type {kind}")
        if at + size > len(data):
            raise ValueError("a field is longer than its message")
        yield number, kind, data[at : at + size]
        at += size


def texts(data: bytes, number: int) -> list[bytes]:
    """All fields of this number that hold bytes."""
    return [value for found, _, value in fields(data) if found == number and isinstance(value, bytes)]


def floats(value: Value, kind: int, *, double: bool) -> list[float]:
    """A field of floats (or doubles), packed or single. Raises ValueError."""
    one = _DOUBLE if double else _FLOAT
    if not isinstance(value, bytes) or kind not in (BYTES, FIXED64 if double else FIXED32) or len(value) % one.size:
        raise ValueError("a field of numbers has a wrong size")
    return [number for (number,) in one.iter_unpack(value)]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number has no end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")
