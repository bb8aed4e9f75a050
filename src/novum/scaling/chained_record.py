"""A file that only grows: one JSON value a line, each with the SHA-256 of the line before it.

A changed, lost or exchanged line breaks the chain. Whoever writes the whole file anew can make another one: only the
digest of its last line, kept elsewhere, shows that.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from novum.core.model.errors import IntegrityError, StorageError, UserError
from novum.text.bounded_json import load_json
from novum.text.canonical_json import EXACT, canonical

START = "0" * 64
"""What stands for the line before the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its kind, what it says, when it was written (microseconds since the epoch), and its digest."""

    kind: str
    body: Mapping[str, Any]
    at: int
    digest: str


@dataclass
class ChainedRecord:
    """The open file of the one process that adds to it."""

    file: BinaryIO
    entries: list[Entry]

    def add(self, kind: str, body: Mapping[str, Any]) -> Entry:
        """Write a line and wait until it is on the disk. Raises StorageError."""
        previous = self.entries[-1].digest if self.entries else START
        at = time.time_ns() // 1000
        line = canonical({"kind": kind, "body": dict(body), "at": at, "previous": previous})
        try:
            self.file.write(line + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError as error:
            raise StorageError(f"{self.file.name}: {error.strerror or error}: make room, then start again") from None
        entry = Entry(kind, load_json(line, parse_int=_whole)["body"], at, hashlib.sha256(line).hexdigest())
        self.entries.append(entry)
        return entry


@contextmanager
def opened(path: Path) -> Iterator[ChainedRecord]:
    """The record at a path, for adding; a line that was cut off in its writing is dropped.

    Raises UserError where another process adds to it, IntegrityError where the chain is broken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{path}: another process adds to it: wait for it, or give another --out") from None
        file.seek(0)
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        entries = _entries(whole, path)
        if len(whole) < len(content):
            file.truncate(len(whole))
        try:
            yield ChainedRecord(file, entries)
        finally:
            if not entries:  # nothing came of it
                path.unlink(missing_ok=True)


def read(path: Path) -> list[Entry]:
    """The entries of a record; a last line without its end does not count.

    Raises UserError where there is none, IntegrityError where the chain is broken.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such record: give the directory of `novum scale`") from None
    return _entries(content[: content.rfind(b"\n") + 1], path)


def _entries(content: bytes, path: Path) -> list[Entry]:
    found: list[Entry] = []
    previous = START
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            value = load_json(line, parse_int=_whole)
            kind, body, at, before = (value[name] for name in ("kind", "body", "at", "previous"))
            sound = before == previous and canonical(value) == line and len(value) == 4 and isinstance(body, dict)
        except (ValueError, KeyError, TypeError, RecursionError):
            sound = False
        if not sound:
            raise IntegrityError(
                f"{path} line {number}: the chain of digests is broken here, so the record was changed; "
                "restore the file from a copy, or start anew with another --out"
            )
        previous = hashlib.sha256(line).hexdigest()
        found.append(Entry(kind, body, at, previous))
    return found


def _whole(digits: str) -> int | float:
    """A number without a point. Canonical JSON writes floats up to 1e21 so, and knows integers below 2^53 alone."""
    found = int(digits)
    return found if abs(found) < EXACT else float(found)
