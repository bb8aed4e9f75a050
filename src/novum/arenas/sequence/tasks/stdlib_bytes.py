"""Bytes of Python's standard library: real text that every machine with an interpreter has."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import hashlib
import os
import sysconfig
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le

from novum.arenas.sequence.tasks.neighbours import changed, lengthened
from novum.arenas.sequence.tasks.sampling import next_tokens
from novum.arenas.sequence.tasks.task import Batch
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role

LEFT_OUT = frozenset({"site-packages", "dist-packages", "__pycache__", "test", "tests", "idle_test"})
"""Folders of which some distributions have none, and others thousands of files."""
PARTS = ("search", "gate", "final")


@dataclass(frozen=True, slots=True)
class StdlibBytes:
    """Next byte of the .py files of the standard library of the interpreter that runs.

    A hash of its path gives each file to one of three parts, and there one file in four to scoring and the others to
    training. The files of a part, in the order of their hashes, are joined until there are `most_bytes`; a sequence is
    a uniformly placed window of T + 1 bytes (it may cross from one file to the next). Every byte is labelled with the
    next; nothing is known about the entropy. `digest` says which files and contents these were.
    """

    length: Annotated[int, Ge(1), Le(1 << 12)] = 64
    part: Literal["search", "gate", "final"] = "search"
    scoring: bool = False
    most_bytes: Annotated[int, Ge(1 << 13), Le(1 << 26)] = 1 << 20

    @property
    def vocabulary(self) -> int:
        return 256

    @property
    def outputs(self) -> int:
        return 256

    @property
    def queries(self) -> int:
        return self.length

    @property
    def chance(self) -> float:
        """Share of the most frequent byte."""
        text = _text(self.part, self.scoring, self.most_bytes)
        return float(np.bincount(text).max() / len(text))

    @property
    def entropy(self) -> None:
        return None

    @property
    def digest(self) -> str:
        return _digest(self.part, self.most_bytes)

    def batch(self, rng: np.random.Generator, rows: int) -> Batch:
        text = _text(self.part, self.scoring, self.most_bytes)
        start_B = rng.integers(0, len(text) - self.length, rows)
        return next_tokens(text[start_B[:, None] + np.arange(self.length + 1)].astype(np.int64))

    def held_out(self) -> StdlibBytes:
        """The files of this part that are scored."""
        return replace(self, scoring=True)

    def variant(self, role: Role) -> StdlibBytes:
        """Gate and final: other files each, for training and for scoring."""
        return self if role is Role.SEARCH else changed(self, {"part": _following(self.part, role)})

    def longer(self, factor: int) -> StdlibBytes:
        """Windows of `factor` times the bytes."""
        return lengthened(self, factor, length=factor * self.length)


def _following(part: str, role: Role) -> str:
    return PARTS[(PARTS.index(part) + (Role.GATE, Role.FINAL).index(role) + 1) % len(PARTS)]


@lru_cache(maxsize=12)
def _text(part: str, scoring: bool, most_bytes: int) -> npt.NDArray[np.uint8]:
    """The bytes of a part, read once per process."""
    found = b"".join(content for _, content in _files(part, scoring, most_bytes))[:most_bytes]
    if len(found) < 1 << 13:
        raise StudyError(
            f"stdlib_bytes: only {len(found)} bytes of the standard library are readable in {_folder()} for the part "
            f"{part!r}; use an interpreter that has its library as .py files"
        )
    return np.frombuffer(found, dtype=np.uint8)


@lru_cache(maxsize=6)
def _digest(part: str, most_bytes: int) -> str:
    whole = hashlib.sha256()
    for scoring in (False, True):
        for name, content in sorted(_files(part, scoring, most_bytes)):
            whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def _files(part: str, scoring: bool, most_bytes: int) -> list[tuple[str, bytes]]:
    """Names and contents of the first files of a part that have `most_bytes` together."""
    found, size = [], 0
    for _, name in sorted(one for one in _listed() if _place(one[0]) == (part, scoring)):
        if size >= most_bytes:
            break
        content = (_folder() / name).read_bytes()
        found.append((name, content))
        size += len(content)
    return found


def _place(word: bytes) -> tuple[str, bool]:
    """The part of a file, and whether it is scored, by the hash of its path."""
    return PARTS[word[0] % len(PARTS)], word[1] % 4 == 0


@lru_cache(maxsize=1)
def _listed() -> list[tuple[bytes, str]]:
    """Hash and path of each file, relative to the library's folder."""
    top, names = _folder(), []
    for folder, inner, files in os.walk(top):
        inner[:] = [one for one in inner if one not in LEFT_OUT]
        within = Path(folder).relative_to(top)
        names += [(within / one).as_posix() for one in files if one.endswith(".py")]
    return [(hashlib.blake2b(name.encode(), digest_size=16).digest(), name) for name in names]


def _folder() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])
