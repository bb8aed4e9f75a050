"""Requests to a running lab, one file each: whoever may write to the lab's directory may ask, and the lab decides.

A request is written beside its place and moved there, so that it is there whole or not at all. The lab records that it
took a request before it acts on it, and removes the file only then: a kill in between repeats nothing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novum.core.dealings import Act
from novum.core.errors import StorageError, UserError
from novum.core.requests import Request

FOLDER = "requests"
MAX_BYTES = 4 << 20
MAX_WAITING = 1000
SETTLED_NS = 2_000_000_000
_AUTHOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+:/-]{0,59}")


@dataclass
class Mailbox:
    """The requests to the lab in a directory."""

    directory: Path
    _seen: set[str] = field(default_factory=set)
    _unchanged: int = 0

    def __post_init__(self) -> None:
        self._place = str(self.directory / FOLDER)  # asked for at every step of the loop

    def send(self, act: Act, author: str, body: dict[str, Any]) -> str:
        """Leave a request; returns its id. Raises StorageError, UserError."""
        if not _AUTHOR.fullmatch(author):
            raise UserError(f"author {author[:80]!r}: use up to 60 letters, digits and . _ @ + : / -")
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        text = json.dumps({"id": name, "act": str(act), "author": author, "body": body})
        if len(text) > MAX_BYTES:
            raise UserError(f"the request has {len(text)} characters, allowed are {MAX_BYTES}")
        folder = self.directory / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            if sum(1 for _ in folder.iterdir()) >= MAX_WAITING:
                raise UserError(f"{folder} holds {MAX_WAITING} requests already: is the lab running?")
            draft = folder / f".{name}"
            draft.write_text(text)
            draft.rename(folder / f"{name}.json")
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}") from error
        return name

    def waiting(self) -> list[Request]:
        """Requests in the order of their arrival; what is no request is set aside as .refused."""
        folder, found = self.directory / FOLDER, []
        try:
            changed = os.stat(self._place).st_mtime_ns  # noqa: PTH116 a Path would cost more than the call
            if changed == self._unchanged:
                return []
            for path in sorted(folder.glob("[0-9]*.json")):
                if path.name not in self._seen:
                    found += self._read(path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        # The clock of a file system ticks in milliseconds: a folder that changed just now may change once more unseen.
        settled = time.time_ns() - changed > SETTLED_NS
        self._unchanged = changed if settled and not found else 0
        return found

    def done(self, request: Request) -> None:
        """The request is in the record: its file has served."""
        self._seen.add(f"{request.id}.json")
        with suppress(OSError):
            (self.directory / FOLDER / f"{request.id}.json").unlink()

    def _read(self, path: Path) -> list[Request]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(fd, "rb") as file:
                data = file.read(MAX_BYTES + 1)
            given = json.loads(data)
            request = Request(path.stem, Act(given["act"]), str(given["author"]), dict(given["body"]))
            if len(data) > MAX_BYTES or not _AUTHOR.fullmatch(request.author):
                raise ValueError("too large, or a strange author")
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self._seen.add(path.name)
            with suppress(OSError):
                path.rename(path.with_suffix(".refused"))
            return []
        return [request]
