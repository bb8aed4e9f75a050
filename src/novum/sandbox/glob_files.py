"""Files below a work directory by a pattern: `runs/**/events.out.tfevents.*`. No link is followed, all is bounded.

`*`, `?` and `[...]` stand for characters of one name, `**` for any number of folders. What a pattern finds are plain
files; whatever else fits it is passed over, since honest programs leave links beside their files (`latest-run`).
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_MATCHES = 64
MOST_ENTRIES = 20_000
"""Names that are looked at."""
DEEPEST = 16


class TooManyFilesError(ValueError):
    """A pattern fits more than is fetched, or there is more to look through than is looked at."""


def is_glob(name: str) -> bool:
    """Whether a name is a pattern."""
    return any(letter in name for letter in "*?[")


def fits_glob(path: str, pattern: str) -> bool:
    """Whether a relative path with forward slashes fits a pattern."""
    *folders, name = path.split("/")
    parts = _parts(pattern)
    at = _start(parts)
    for folder in folders:
        at = _inside(parts, at, folder)
    return _ends(parts, at, name)


def find_files(directory: int, pattern: str) -> list[str]:
    """The plain files below an open directory that fit, sorted. Raises TooManyFilesError, OSError."""
    walk = _Walk(_parts(pattern))
    at = os.dup(directory)
    try:
        found = []
        for path in walk.below(at, "", _start(walk.parts), 0):
            found.append(path)
            if len(found) > MOST_MATCHES:
                raise TooManyFilesError(f"more than {MOST_MATCHES} files fit")
        return sorted(found)
    finally:
        os.close(at)


Places = frozenset[int]
"""Where in the parts of a pattern a path has come to."""


def _parts(pattern: str) -> tuple[str, ...]:
    parts = tuple(pattern.split("/"))
    return (*parts, "*") if parts[-1] == "**" else parts


def _start(parts: tuple[str, ...]) -> Places:
    return _closed(parts, {0})


def _closed(parts: tuple[str, ...], at: set[int]) -> Places:
    """With what follows `**`, which may stand for no folder at all."""
    for place in range(len(parts)):
        if place in at and parts[place] == "**":
            at.add(place + 1)
    return frozenset(at)


def _inside(parts: tuple[str, ...], at: Places, folder: str) -> Places:
    """After one more folder."""
    stay = {place for place in at if place < len(parts) and parts[place] == "**"}
    moved = {place + 1 for place in at - stay if place < len(parts) - 1 and fnmatch.fnmatchcase(folder, parts[place])}
    return _closed(parts, stay | moved)


def _ends(parts: tuple[str, ...], at: Places, name: str) -> bool:
    return len(parts) - 1 in at and fnmatch.fnmatchcase(name, parts[-1])


@dataclass
class _Walk:
    parts: tuple[str, ...]
    seen: int = field(default=0)

    def below(self, directory: int, prefix: str, at: Places, depth: int) -> Iterator[str]:
        folders = []
        with os.scandir(directory) as entries:
            for entry in entries:
                self.seen += 1
                if self.seen > MOST_ENTRIES:
                    raise TooManyFilesError(f"there are more than {MOST_ENTRIES} files to look through")
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False) and _ends(self.parts, at, entry.name) and _plain(entry.name):
                    yield prefix + entry.name
        for name in sorted(folders) if depth < DEEPEST else ():
            if (inside := _inside(self.parts, at, name)) and _plain(name):
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
                try:
                    yield from self.below(inner, f"{prefix}{name}/", inside, depth + 1)
                finally:
                    os.close(inner)


def _plain(name: str) -> bool:
    """Whether a name is UTF-8, as names of artefacts are."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
