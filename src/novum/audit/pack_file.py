"""The evidence pack as a file: a zip archive of known names, written alike each time and read with suspicion.

Nothing of it is ever unpacked to the disk. A file is refused when it is larger than a pack may be, when it holds a name
that no pack holds, one twice, or something other than plain files, and when any byte around its contents is not what
Novum writes there: then every program that reads it finds the same. No part is read further than its declared size.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from novum.core.model.errors import IntegrityError, StorageError, UserError
from novum.text.bounded_json import check_json, load_json

Row = tuple[int, int, str, str, str, str]

PAGE, LEDGER, ENVIRONMENT = "index.html", "ledger.jsonl", "environment.json"
KEY, CRATE, ENVELOPE = "lab.pem", "ro-crate-metadata.json", "statement.dsse.json"
BLOBS = "blobs/"
NAMES = frozenset({PAGE, LEDGER, ENVIRONMENT, KEY, CRATE, ENVELOPE})

FILES = 60_000
LARGEST_FILE = 256 << 20
LARGEST_PACK = 1 << 30
LONGEST_LINE = 16 << 20
"""What a pack may hold at most: files, bytes of one file and of all together (unpacked), bytes of one event."""

_BLOB = re.compile(r"blobs/[0-9a-f]{64}")
_LINE = re.compile(
    r'\{"actor":("[^"\\]*+(?:\\.[^"\\]*+)*+"),"hash":"([0-9a-f]{64})","kind":"([a-z_]{1,40})",'
    r'"payload":(\{.*\}),"seq":([0-9]{1,15}),"time":([0-9]{1,16})\}\n'
)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, RuntimeError, NotImplementedError)
_END = 22
"""Bytes of a zip archive's end record without a comment (APPNOTE.TXT 4.3.16)."""

_ATTRIBUTES = (stat.S_IFREG | 0o644) << 16
_VERSION, _UNIX, _DAY = 20, 3, 0x21
"""Of the format that is needed; the system whose attributes are meant; 1 January 1980, the date of every entry."""


@dataclass(frozen=True)
class Pack:
    """An open pack. `names` are all it holds; reading raises IntegrityError for what is damaged."""

    archive: zipfile.ZipFile
    names: frozenset[str]

    def read(self, name: str) -> bytes:
        """One file, whole."""
        if name not in self.names:
            raise IntegrityError(f"the pack holds no {name}")
        try:
            return self.archive.read(name)
        except _DAMAGED as error:
            raise IntegrityError(f"{name} in the pack is damaged: {error}") from error

    def size(self, name: str) -> int:
        """Bytes of one file."""
        return self.archive.getinfo(name).file_size

    def digest(self, name: str) -> str:
        """SHA-256 of one file, in hexadecimal."""
        found = hashlib.sha256()
        try:
            with self.archive.open(name) as file:
                while part := file.read(1 << 20):
                    found.update(part)
        except _DAMAGED as error:
            raise IntegrityError(f"{name} in the pack is damaged: {error}") from error
        return found.hexdigest()

    def rows(self) -> Iterator[Row]:
        """The events: seq, time (microseconds), actor, kind, payload, hash."""
        if LEDGER not in self.names:
            raise IntegrityError(f"the pack holds no {LEDGER}")
        try:
            with self.archive.open(LEDGER) as file:
                number = 0
                while line := file.readline(LONGEST_LINE):
                    number += 1
                    yield _row(line, number)
        except _DAMAGED as error:
            raise IntegrityError(f"{LEDGER} in the pack is damaged: {error}") from error

    def holds(self, address: str) -> bool:
        """Whether the artefact of an address ("sha256:..." or "hex:...") is in the pack or in its event."""
        scheme, _, value = address.partition(":")
        return scheme != "sha256" or BLOBS + value in self.names


@dataclass(frozen=True)
class PackBlobs:
    """The Blobs port over a pack; nothing can be put into it."""

    pack: Pack

    def put(self, data: bytes) -> str:
        raise UserError(f"an evidence pack is not written to (an artefact of {len(data)} bytes)")

    def get(self, address: str) -> bytes:
        data = self.pack.read(BLOBS + address)
        if hashlib.sha256(data).hexdigest() != address:
            raise IntegrityError(f"blob {address[:12]} was altered")
        return data


@contextmanager
def open_pack(path: Path) -> Iterator[Pack]:
    """A pack to read. Raises IntegrityError when it is none, UserError when the file cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    with file:
        try:
            _plain_archive(file)
            archive = zipfile.ZipFile(file)
        except _DAMAGED as error:
            raise IntegrityError(f"{path} is no evidence pack: {error}") from error
        with archive:
            try:
                names = _admitted(archive.infolist())
                _as_written(file, archive.infolist())
            except (ValueError, struct.error) as error:
                raise IntegrityError(f"{path} is refused: {error}") from error
            yield Pack(archive, names)


def write_archive(path: Path, files: Mapping[str, bytes]) -> int:
    """Write a pack, whole or not at all: names in order, all dates the same. Returns its size in bytes.

    Raises StorageError, UserError for more than a pack may hold.
    """
    if (
        len(files) > FILES
        or sum(map(len, files.values())) > LARGEST_PACK
        or max(map(len, files.values())) > LARGEST_FILE
    ):
        raise UserError(
            f"an evidence pack holds at most {FILES} files and {LARGEST_PACK >> 20} MiB: this one is larger"
        )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for name in sorted(files):
                    info = zipfile.ZipInfo(name)
                    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, _ATTRIBUTES
                    archive.writestr(info, files[name])
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}; choose another path") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path.stat().st_size


def line(row: Row) -> bytes:
    """An event as a line of the ledger: one JSON object with its keys in order, its payload as it was hashed."""
    seq, time, actor, kind, payload, head = row
    text = f'"hash":"{head}","kind":"{kind}","payload":{payload},"seq":{seq},"time":{time}}}\n'
    return f'{{"actor":{json.dumps(actor)},{text}'.encode()


def strict_json(data: bytes, name: str) -> Any:
    """The value of a JSON document without repeated keys and without NaN. Raises IntegrityError."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is given twice")
        return found

    def never(text: str) -> None:
        raise ValueError(f"{text} is no JSON")

    try:
        return load_json(data, object_pairs_hook=once, parse_constant=never)
    except ValueError as error:
        raise IntegrityError(f"{name} cannot be read: {error}") from error


def _row(data: bytes, number: int) -> Row:
    match = _LINE.fullmatch(data.decode())
    if match is None:
        raise IntegrityError(f"line {number} of {LEDGER} is no event")
    actor, head, kind, payload, seq, time = match.groups()
    try:
        check_json(payload)
    except ValueError as error:
        raise IntegrityError(f"event {seq} cannot be read: {error}") from None
    return int(seq), int(time), strict_json(actor.encode(), f"line {number} of {LEDGER}"), kind, payload, head


def _plain_archive(file: IO[bytes]) -> None:
    """Look at the end record before the directory is read, which could be of any length. Raises ValueError."""
    size = file.seek(0, os.SEEK_END)
    if size > LARGEST_PACK:
        raise ValueError(f"it is larger than {LARGEST_PACK >> 20} MiB")
    file.seek(max(0, size - _END))
    end = file.read(_END)
    if len(end) < _END or end[:4] != b"PK\x05\x06":
        raise ValueError("it does not end as a zip archive does")
    entries, length, start = struct.unpack("<HLL", end[10:20])
    if entries > FILES or length > 256 * FILES or start + length + _END != size:
        raise ValueError("its directory is not that of an evidence pack")


def _admitted(entries: list[zipfile.ZipInfo]) -> frozenset[str]:
    """The names of an archive's entries, all of which are what a pack holds. Raises ValueError."""
    total, names = 0, set()
    for entry in entries:
        name, shown = entry.filename, ascii(entry.filename[:80])
        if name not in NAMES and not _BLOB.fullmatch(name):
            raise ValueError(f"it holds {shown}, which no evidence pack holds")
        if name in names:
            raise ValueError(f"it holds {shown} twice")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG) or entry.is_dir():
            raise ValueError(f"{shown} is not a plain file")
        total += entry.file_size
        if entry.file_size > LARGEST_FILE or total > LARGEST_PACK:
            raise ValueError(
                f"it would unpack to more than {LARGEST_FILE >> 20} MiB a file, {LARGEST_PACK >> 20} in all"
            )
        names.add(name)
    return frozenset(names)


def _as_written(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> None:
    """Hold everything around the contents against what is written there (APPNOTE.TXT 4.3). Raises ValueError."""
    place, directory = 0, b""
    for entry in entries:
        name, method = entry.filename.encode(), zipfile.ZIP_DEFLATED
        sizes = entry.CRC, entry.compress_size, entry.file_size
        common = struct.pack("<HHHHLLLHH", 0, method, 0, _DAY, *sizes, len(name), 0)
        local = struct.pack("<4sH", b"PK\3\4", _VERSION) + common + name
        file.seek(place)
        if file.read(len(local)) != local:
            break
        rest = struct.pack("<HHHLL", 0, 0, 0, _ATTRIBUTES, place)
        directory += struct.pack("<4sBBH", b"PK\1\2", _VERSION, _UNIX, _VERSION) + common + rest + name
        place += len(local) + entry.compress_size
    count = len(entries)
    end = directory + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(directory), place, 0)
    file.seek(place)
    if file.read(len(end) + 1) != end:
        raise ValueError("it was not packed by Novum: ask for the file as it was written")
