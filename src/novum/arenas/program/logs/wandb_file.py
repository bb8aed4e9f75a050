"""Numbers in the log of an offline run of Weights & Biases (`run-ID.wandb`), which writes no summary in that mode.

A file is a log as of LevelDB, behind seven bytes of its own: blocks of 32 KiB with records of a check sum (u32), a
length (u16), a type (whole, first, middle, last) and data. The data are a message Record { HistoryRecord history = 2;
SummaryRecord summary = 3 }, each with a repeated item = 1 { string key = 1; repeated string nested_key = 2; string
value_json = 16 }. Sources: https://github.com/google/leveldb/blob/main/doc/log_format.md, and of wandb the files
wandb/proto/wandb_internal.proto and wandb/sdk/internal/datastore.py.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from novum.arenas.program.logs.protobuf_fields import fields, texts
from novum.core.model.trial import ArtefactError
from novum.text.bounded_json import load_json

MARK = b":W&B\xe1\xbe\x00"
_BLOCK = 1 << 15
_HEAD = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_HISTORY, _SUMMARY = 2, 3
_LONGEST_KEY = 300


def is_wandb_file(path: str) -> bool:
    """Whether a file is W&B's log, by its name."""
    return PurePosixPath(path).suffix == ".wandb"


def wandb_cells(path: str, data: bytes) -> Iterator[tuple[str, object]]:
    """Keys with their values, in their order: those of the history, and of the summary what the history has not.

    Nested keys are joined by dots. Raises ArtefactError for a file that is none, or broken.
    """
    seen: set[str] = set()
    summary: dict[str, object] = {}
    for record in _records(path, data):
        try:
            for kind, _, value in fields(record):
                if kind in (_HISTORY, _SUMMARY) and isinstance(value, bytes):
                    for key, number in _items(value):
                        if kind == _SUMMARY:
                            summary[key] = number
                        else:
                            seen.add(key)
                            yield key, number
        except ValueError as error:
            raise ArtefactError(f"{path} is no log of W&B: {error}") from None
    yield from ((key, value) for key, value in summary.items() if key not in seen)


def _items(message: bytes) -> Iterator[tuple[str, object]]:
    """The single values of a history or summary; what else there is, such as tables, is passed over."""
    for item in texts(message, 1):
        keys = texts(item, 2) or texts(item, 1)
        key = b".".join(keys)[:_LONGEST_KEY].decode(errors="replace")
        values = texts(item, 16)
        if not key or key.startswith("_") or not values:
            continue
        value = load_json(values[-1])
        if not isinstance(value, dict | list):
            yield key, value


def _records(path: str, data: bytes) -> Iterator[bytes]:
    """The records, put together from their pieces. The last one may miss its end: a killed writer leaves it so."""
    if not data.startswith(MARK):
        raise ArtefactError(f"{path} is no log of W&B: it does not begin like one")
    at, pieces = len(MARK), bytearray()
    while at + _HEAD.size <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD.size:
            at += left
            continue
        crc, size, kind = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        piece = data[at : at + size]
        if len(piece) < size:
            return
        at += size
        if kind == 0 and size == 0:
            at += -at % _BLOCK  # the rest of a block that was set aside
            continue
        if zlib.crc32(bytes([kind]) + piece) != crc:
            raise ArtefactError(f"{path} is broken: a record has a wrong check sum")
        if kind in (_WHOLE, _FIRST):
            pieces.clear()
        pieces += piece
        if kind in (_WHOLE, _LAST):
            yield bytes(pieces)
