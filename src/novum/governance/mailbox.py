"""Requests to a running lab, one file each: whoever may write to the lab's directory may ask, and the lab decides.

A request is written beside its place and moved there, so that it is there whole or not at all. The lab records that it
took a request before it acts on it, and removes the file only then: a kill in between repeats nothing.

Stop, pause and resume have a folder of their own, where a file's name says which it is: however many other requests lie
there, none is read before these. Of all others only so many are read, and handed over, at a time.
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

FOLDER, URGENT_FOLDER = "requests", "requests.urgent"
MAX_BYTES = 4 << 20
MAX_WAITING = 1000
MAX_REFUSED = 100
"""Files that were no requests and are kept for a look; further ones are removed."""

MOST_READ, MOST_TAKEN = 2000, 100
"""Files that are read at a time, and requests that are handed over at a time."""

MOST_BYTES = 2 * MAX_BYTES
"""After which no further file is read at a time."""

SETTLED_NS = 2_000_000_000
_BOUNDS = JsonBounds(size=MAX_BYTES, values=200_000, containers=50_000)
_FILE = re.compile(r"[0-9][0-9A-Za-z_-]{0,79}")
_URGENT_FILE = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
_URGENT = (Act.STOP, Act.PAUSE, Act.RESUME)
_URGENT_BYTES = 64 << 10
_BOUNDED = (Act.PROPOSE, Act.EXPORT)
"""What only so many may wait of. Nothing is in the way of who wants to stop a lab, or answers its questions."""


@dataclass
class Mailbox:
    """The requests to the lab in a directory."""

    directory: Path
    _seen: set[str] = field(default_factory=set)
    _unchanged: int = 0
    _urgent_unchanged: int = 0
    _refused: int = -1
    _authors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._place = str(self.directory / FOLDER)  # asked for at every step of the loop
        self._urgent_place = str(self.directory / URGENT_FOLDER)

    def send(self, act: Act, author: str, body: dict[str, Any]) -> str:
        """Leave a request; returns its id. Raises StorageError, UserError."""
        if why := unfit(author):
            raise UserError(f"author {author[:80]!r}: {why}")
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        text = json.dumps({"id": name, "act": str(act), "author": author, "body": body})
        urgent = act in _URGENT
        most = _URGENT_BYTES if urgent else MAX_BYTES
        if len(text) > most:
            raise UserError(f"the request has {len(text)} characters, allowed are {most}")
        folder = self.directory / (URGENT_FOLDER if urgent else FOLDER)
        try:
            for one in (FOLDER, URGENT_FOLDER):
                (self.directory / one).mkdir(exist_ok=True)
            if act in _BOUNDED and sum(1 for _ in folder.glob("[0-9]*.json")) >= MAX_WAITING:
                raise UserError(f"{folder} holds {MAX_WAITING} requests already: is the lab running?")
            draft = folder / f".{name}"
            draft.write_text(text)
            draft.rename(folder / f"{name}.{act if urgent else 'json'}")
        except OSError as error:
            raise StorageError(f"cannot write to {folder}: {error.strerror}") from error
        return name

    def waiting(self) -> list[Request]:
        """Requests to stop, then to pause or resume, then all others, as they came; what is none is set aside.

        At most MOST_TAKEN of the urgent ones and of the others; the rest follows once these are done.
        """
        found = [*self._urgent(), *self._ordinary()]
        return sorted(found, key=lambda request: request.act is not Act.STOP)

    def stop_requested(self) -> bool:
        """Whether anybody asks the lab to stop; nothing that others leave there is looked at first."""
        return bool(self._urgent((Act.STOP,)))

    def _urgent(self, acts: tuple[Act, ...] = _URGENT) -> list[Request]:
        try:
            changed = os.stat(self._urgent_place).st_mtime_ns  # noqa: PTH116 as below
            if changed == self._urgent_unchanged:
                return []
            named: list[tuple[bool, str, Act]] = []
            with os.scandir(self._urgent_place) as entries:
                for entry in entries:
                    name, _, act = entry.name.rpartition(".")
                    if act in acts and _URGENT_FILE.fullmatch(name) and entry.name not in self._seen:
                        named.append((act != Act.STOP, name, Act(act)))
        except OSError:
            return []
        found: list[Request] = []
        for _, name, act in sorted(named):
            found += self._read_urgent(name, act)
            if len(found) >= MOST_TAKEN:
                break
        settled = time.time_ns() - changed > SETTLED_NS and acts == _URGENT
        self._urgent_unchanged = changed if settled and not found else 0
        return found

    def _ordinary(self) -> list[Request]:
        folder, found = self.directory / FOLDER, list[Request]()
        try:
            changed = os.stat(self._place).st_mtime_ns  # noqa: PTH116 a Path would cost more than the call
            if changed == self._unchanged:
                return []
            paths = sorted(path for path in folder.glob("[0-9]*.json") if path.name not in self._seen)
            room = MOST_BYTES
            for path in paths[:MOST_READ]:
                room -= path.lstat().st_size
                found += self._read(path)
                if len(found) >= MOST_TAKEN or room <= 0:
                    break
        except OSError:  # nobody has asked for anything yet, or nobody can: see `check`
            return []
        # The clock of a file system ticks in milliseconds: a folder that changed just now may change once more unseen.
        settled = time.time_ns() - changed > SETTLED_NS and len(paths) <= MOST_READ
        self._unchanged = changed if settled and not found else 0
        return found

    def authors(self) -> dict[str, str]:
        """Who signed what lies there, by request; nothing is taken or moved, and each file is read once."""
        files = (self.directory / FOLDER).glob("[0-9]*.json")
        self._authors = {one.stem: self._authors.get(one.stem) or _author(one) for one in files}
        return self._authors

    def check(self) -> None:
        """Hold the place of requests to what it must be, if it is there. Raises UserError."""
        for folder in (self.directory / FOLDER, self.directory / URGENT_FOLDER):
            there = folder.exists() or folder.is_symlink()
            if there and not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK)):
                what = "is no directory that can be read and written"
                raise UserError(f"{folder} {what}, so nobody could stop this lab: move it away")

    def done(self, request: Request) -> None:
        """The request is in the record: its file has served."""
        for folder, ending in ((FOLDER, "json"), (URGENT_FOLDER, request.act)):
            self._seen.add(f"{request.id}.{ending}")
            with suppress(OSError):
                (self.directory / folder / f"{request.id}.{ending}").unlink()

    def _read_urgent(self, name: str, act: Act) -> list[Request]:
        """The request in an urgent file; one that is none is removed."""
        path = self.directory / URGENT_FOLDER / f"{name}.{act}"
        try:
            return [_request(name, _content(path, _URGENT_BYTES), act)]
        except (AttributeError, OSError, ValueError, KeyError, TypeError, RecursionError):
            self._seen.add(path.name)
            with suppress(OSError):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            return []

    def _read(self, path: Path) -> list[Request]:
        try:
            if not _FILE.fullmatch(path.stem):
                raise ValueError("a strange name")
            return [_request(path.stem, _content(path))]
        except (AttributeError, OSError, ValueError, KeyError, TypeError, RecursionError):
            self._seen.add(path.name)
            self._set_aside(path)
            return []

    def _set_aside(self, path: Path) -> None:
        with suppress(OSError):
            if self._refused < 0:
                self._refused = sum(1 for _ in path.parent.glob("*.refused"))
            if path.is_dir() or self._refused < MAX_REFUSED:
                path.rename(path.with_suffix(".refused"))
                self._refused += 1
            else:
                path.unlink()


def _request(name: str, data: bytes, act: Act | None = None) -> Request:
    """The request in the content of a file. Raises AttributeError, KeyError, TypeError, ValueError."""
    given = _encodable(load_json(data, _BOUNDS))
    body = given.get("body")
    request = Request(name, Act(given["act"]), given["author"], {} if body is None else dict(body))
    if not isinstance(request.author, str) or unfit(request.author) or act not in (None, request.act):
        raise ValueError("a strange author, or another request than its name says")
    return request


def _author(path: Path) -> str:
    """Who signed a request; nobody where it is none, or is gone by now."""
    try:
        return str(load_json(_content(path), _BOUNDS)["author"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return "nobody"


def _content(path: Path, most: int = MAX_BYTES) -> bytes:
    """Raises OSError, ValueError for what is no plain file of a size that may be."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ValueError("no plain file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(fd)
    if len(data) > most:
        raise ValueError("too large")
    return data


def _encodable(value: Any) -> Any:
    """`value` with its texts as UTF-8 can write them: JSON can hold halves of characters, and a record cannot."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value
