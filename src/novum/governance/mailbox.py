"""Requests to a running lab, one file each: whoever may write to the lab's directory may ask, and the lab decides.

A request is written beside its place and moved there, so that it is there whole or not at all. The lab records that it
took a request before it acts on it, and removes the file only then: a kill in between repeats nothing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novum.core.model.errors import StorageError, UserError
from novum.core.model.identity import unfit
from novum.core.model.request import Act, Request
from novum.text.bounded_json import JsonBounds, load_json

FOLDER = "requests"
MAX_BYTES = 4 << 20
MAX_WAITING = 1000
MAX_REFUSED = 100
"""Files that were no requests and are kept for a look; further ones are removed."""

SETTLED_NS = 2_000_000_000
_BOUNDS = JsonBounds(size=MAX_BYTES, values=200_000, containers=50_000)
_FILE = re.compile(r"[0-9][0-9A-Za-z_-]{0,79}")
_BOUNDED = (Act.PROPOSE, Act.EXPORT)
"""What only so many may wait of. Nothing is in the way of who wants to stop a lab, or answers its questions."""


@dataclass
class Mailbox:
    """The requests to the lab in a directory."""

    directory: Path
    _seen: set[str] = field(default_factory=set)
    _unchanged: int = 0
    _authors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._place = str(self.directory / FOLDER)  # asked for at every step of the loop

    def send(self, act: Act, author: str, body: dict[str, Any]) -> str:
        """Leave a request; returns its id. Raises StorageError, UserError."""
        if why := unfit(author):
            raise UserError(f"author {author[:80]!r}: {why}")
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        text = json.dumps({"id": name, "act": str(act), "author": author, "body": body})
        if len(text) > MAX_BYTES:
            raise UserError(f"the request has {len(text)} characters, allowed are {MAX_BYTES}")
        folder = self.directory / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            if act in _BOUNDED and sum(1 for _ in folder.glob("[0-9]*.json")) >= MAX_WAITING:
                raise UserError(f"{folder} holds {MAX_WAITING} requests already: is the lab running?")
            draft = folder / f".{name}"
            draft.write_text(text)
            draft.rename(folder / f"{name}.json")
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}") from error
        return name

    def waiting(self) -> list[Request]:
        """Requests in the order of their arrival; what is no request is set aside as .refused."""
        folder = self.directory / FOLDER
        found: list[Request] = []
        try:
            changed = os.stat(self._place).st_mtime_ns  # noqa: PTH116 a Path would cost more than the call
            if changed == self._unchanged:
                return []
            for path in sorted(folder.glob("[0-9]*.json")):
                if path.name not in self._seen:
                    found += self._read(path)
        except OSError:  # nobody has asked for anything yet, or nobody can: see `check`
            return []
        # The clock of a file system ticks in milliseconds: a folder that changed just now may change once more unseen.
        settled = time.time_ns() - changed > SETTLED_NS
        self._unchanged = changed if settled and not found else 0
        return found

    def authors(self) -> dict[str, str]:
        """Who signed what lies there, by request; nothing is taken or moved, and each file is read once."""
        files = (self.directory / FOLDER).glob("[0-9]*.json")
        self._authors = {one.stem: self._authors.get(one.stem) or _author(one) for one in files}
        return self._authors

    def check(self) -> None:
        """Hold the place of requests to what it must be, if it is there. Raises UserError."""
        folder = self.directory / FOLDER
        if (folder.exists() or folder.is_symlink()) and not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK)):
            raise UserError(
                f"{folder} is no directory that can be read and written, so nobody could stop this lab: move it away"
            )

    def done(self, request: Request) -> None:
        """The request is in the record: its file has served."""
        self._seen.add(f"{request.id}.json")
        with suppress(OSError):
            (self.directory / FOLDER / f"{request.id}.json").unlink()

    def _read(self, path: Path) -> list[Request]:
        try:
            given = _encodable(load_json(_content(path), _BOUNDS))
            body = given.get("body")
            request = Request(path.stem, Act(given["act"]), given["author"], {} if body is None else dict(body))
            if not _FILE.fullmatch(path.stem) or not isinstance(request.author, str) or unfit(request.author):
                raise ValueError("a strange name or author")
        except (AttributeError, OSError, ValueError, KeyError, TypeError, RecursionError):
            self._seen.add(path.name)
            self._set_aside(path)
            return []
        return [request]

    @staticmethod
    def _set_aside(path: Path) -> None:
        with suppress(OSError):
            if path.is_dir() or sum(1 for _ in path.parent.glob("*.refused")) < MAX_REFUSED:
                path.rename(path.with_suffix(".refused"))
            else:
                path.unlink()


def _author(path: Path) -> str:
    """Who signed a request; nobody where it is none, or is gone by now."""
    try:
        return str(load_json(_content(path), _BOUNDS)["author"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return "nobody"


def _content(path: Path) -> bytes:
    """Raises OSError, ValueError for what is no plain file of a size that may be."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ValueError("no plain file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MAX_BYTES:
        raise ValueError("too large")
    return data


def _encodable(value: Any) -> Any:
    """`value` with its texts as UTF-8 can write them: JSON can hold halves of characters, and a record cannot."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value
