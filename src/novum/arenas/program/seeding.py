"""How a trial's seed reaches a program: in its command, at the place that declares it, or from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from novum.core.model.errors import StudyError
from novum.source.declared.declarations import declared, set_declared
from novum.source.seed_literals import with_seed
from novum.source.source_text import plain

OUTSIDE = "outside"
START = "novum_start.py"


@dataclass(frozen=True, slots=True)
class Started:
    """A command and the files that it finds."""

    words: tuple[str, ...]
    files: Mapping[str, bytes]
    environment: Mapping[str, str] = field(default_factory=dict)


def seeded(words: tuple[str, ...], files: Mapping[str, bytes], how: str, seed: int, lines: str = "-") -> Started:
    """A program with its seed.

    how: "" (the command has it), "train.py: SEED" (a declared value), "$SEED" (a variable of the environment), or
    "outside": numbers that seed something are replaced, and random, numpy and torch are seeded before the script
    draws. lines: where to note the lines that are run; "-": nowhere. Raises StudyError for an unknown place.
    """
    files, environment = dict(files), {}
    if how.startswith("$"):
        environment[how[1:]] = str(seed)
    elif how and how != OUTSIDE:
        path, _, place = how.partition(": ")
        text = plain(files[path].decode())
        if place not in {one.place for one in declared(text, path)}:
            raise StudyError(f"program.seed: {path} declares no {place!r}")
        files[path] = set_declared(text, path, {place: seed}).encode()
    if how != OUTSIDE and lines == "-":
        return Started(words, files, environment)
    if how == OUTSIDE:
        files |= {
            path: with_seed(data.decode(), path, seed).encode() for path, data in files.items() if _text(path, data)
        }
    if len(words) < 2 or words[1].startswith("-"):
        raise StudyError("program.seed: a seed from outside needs a command of the form ['python', 'SCRIPT', ...]")
    files[START] = resources.files("novum.arenas.program").joinpath("inside", f"{START}.in").read_bytes()
    return Started((words[0], START, str(seed), lines, *words[1:]), files, environment)


def _text(path: str, data: bytes) -> bool:
    if not path.endswith(".py"):
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
