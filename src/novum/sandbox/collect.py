"""Fetching artefacts from a work directory whose last process is dead: nothing can change any more.

Covered: symbolic links in every component, FIFOs, sockets, devices, hard links, directories, size. What no honest
program leaves behind counts as tampering. Files are read as bytes and never interpreted here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from novum.sandbox.glob_files import TooManyFilesError, find_files

_CHUNK = 1 << 20
_CHEATS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class NoArtefact(Exception):
    """What is there is no plain file of the size that is allowed."""


class _Cheat(NoArtefact):
    """Something that no honest program leaves in the place of an artefact."""


class _Refused(NoArtefact):
    """Not an artefact, but nothing evil either."""


@dataclass
class Harvest:
    """What was found: artefacts, refusals with their reasons, and the provable attempts to cheat."""

    artefacts: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    tampered: list[str] = field(default_factory=list)


def collect(
    directory: int, names: tuple[str, ...], largest: int, patterns: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> Harvest:
    """Fetch `names` from below the open `directory`, each of at most `largest` bytes, and the files of patterns.

    Those of one pattern are of at most `largest` bytes together. optional: names that need not be there.
    """
    harvest = Harvest()
    _collect(directory, names, largest, harvest)
    extra = Harvest()
    _collect(directory, optional, largest, extra)
    harvest.artefacts |= extra.artefacts
    harvest.tampered += extra.tampered
    for pattern in patterns:
        try:
            found = find_files(directory, pattern)
        except TooManyFilesError as reason:
            harvest.refused[pattern] = str(reason)
            continue
        except OSError as error:
            harvest.refused[pattern] = f"unreadable ({error.strerror})"
            continue
        if not found:
            harvest.refused[pattern] = "missing"
        left = largest
        for name in found:
            _collect(directory, (name,), left, harvest)
            left -= len(harvest.artefacts.get(name, b""))
    return harvest


def _collect(directory: int, names: tuple[str, ...], largest: int, harvest: Harvest) -> None:
    for name in names:
        try:
            harvest.artefacts[name] = _fetch(directory, name, largest)
        except FileNotFoundError:
            harvest.refused[name] = "missing"
        except _Refused as reason:
            harvest.refused[name] = str(reason)
        except _Cheat as reason:
            harvest.refused[name] = str(reason)
            harvest.tampered.append(f"the artefact {name} is {reason}")
        except OSError as error:
            harvest.refused[name] = f"unreadable ({error.strerror})"


def _fetch(directory: int, name: str, largest: int) -> bytes:
    with opened_below(directory, name) as fd:
        return read_bounded(fd, largest)


@contextmanager
def opened_below(directory: int, name: str) -> Iterator[int]:
    """A descriptor of the regular file `name` below the open `directory`, no link followed. It never waits.

    Raises OSError, and NoArtefact for what is no regular file.
    """
    *folders, last = name.split("/")
    at = os.dup(directory)
    try:
        for folder in folders:
            _check(os.stat(folder, dir_fd=at, follow_symlinks=False).st_mode, stat.S_IFDIR, "not in a directory")
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        _check(os.stat(last, dir_fd=at, follow_symlinks=False).st_mode, stat.S_IFREG, "a directory")
        fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)
    try:
        _check(os.fstat(fd).st_mode, stat.S_IFREG, "a directory")
        yield fd
    finally:
        os.close(fd)


def read_bounded(fd: int, largest: int) -> bytes:
    """All of an open regular file of one name. Raises OSError, and NoArtefact for more than `largest` bytes."""
    seen = os.fstat(fd)
    if seen.st_nlink != 1:
        raise _Cheat("a file with further hard links")
    if seen.st_size > largest:
        raise _Refused(f"too large: {seen.st_size} bytes, allowed are {largest}")
    content = bytearray()
    while part := os.read(fd, min(_CHUNK, largest + 1 - len(content))):
        content += part
    if len(content) > largest:
        raise _Refused(f"too large: more than {largest} bytes")
    return bytes(content)


def _check(mode: int, wanted: int, otherwise: str) -> None:
    kind = stat.S_IFMT(mode)
    if kind in _CHEATS:
        raise _Cheat(_CHEATS[kind])
    if kind != wanted:
        raise _Refused(otherwise)
