"""What goes into a sandbox and what comes out of it.

A job is data: the program, its files and its bounds. An ending is data too, measured and collected by the parent; what
the program says of itself is in `stdout` and `stderr`, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from novum.core.model.errors import UserError
from novum.core.model.trial import OutcomeKind, Usage
from novum.sandbox.gpus.gpu_access import GpuAccess

WORK = "/work"
MOST_FILES = 50_000
_MIB = 1 << 20


class SandboxUnavailable(UserError):
    """No sandbox of the tier that is asked for can be entered here."""


class Tier(StrEnum):
    """How strong the walls are; `NAMESPACES` is the strongest, `NONE` stops accidents only."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NONE = "none"

    @property
    def rank(self) -> int:
        """A number that is higher for a stronger tier."""
        return {Tier.NAMESPACES: 2, Tier.LANDLOCK: 1, Tier.NONE: 0}[self]

    def at_least(self, minimum: Tier) -> bool:
        """Whether this tier is as strong as `minimum`, or stronger."""
        return self.rank >= minimum.rank


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a job may use: wall and CPU seconds, memory and processes of its whole tree, one file, all files."""

    seconds: float = 120.0
    cpu_seconds: float = 120.0
    memory_bytes: int = 2048 * _MIB
    processes: int = 16
    file_bytes: int = 64 * _MIB
    disk_bytes: int = 256 * _MIB

    def __post_init__(self) -> None:
        for name in ("seconds", "cpu_seconds", "memory_bytes", "processes", "file_bytes", "disk_bytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, not {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file in the work directory that is copied while the job runs, whenever it has changed and is at rest.

    `keep` is handed its bytes, and the CPU and wall seconds that the job had used when they were there.
    """

    name: str
    keep: Callable[[bytes, float, float], None]

    def __post_init__(self) -> None:
        _check_relative(self.name)


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run in a sandbox.

    `argv`: run in the work directory (/work at tier A); "python" means this interpreter. `files`: placed in the work
    directory before the start. `collect`: relative paths of the artefacts that are wanted, each of at most
    `max_artefact_bytes`. `readable`: further files and directories, shown read-only at the same path. `environment` is
    all that the program finds in its own, HOME, TMPDIR and PATH apart. `log_bytes`: what is kept of each output. `hear`
    is handed what the program prints as it comes; it must return at once, or limits are not kept.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    collect: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Artefacts that are taken where they are there."""
    """Globs of further artefacts, at least one of each (`novum.sandbox.glob_files`); these come by their own names."""
    max_artefact_bytes: int = 64 * _MIB
    limits: Bounds = field(default_factory=Bounds)
    environment: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    packages: tuple[str, ...] | None = None
    """Modules whose installed packages, and what these require, it may import; None: all that are installed here."""
    gpus: GpuAccess | None = None
    """Devices, files and variables of the GPUs that it holds; None: it sees none."""
    stdin: bytes = b""
    log_bytes: int = 64 << 10
    hear: Callable[[bytes], None] | None = None
    judge: Callable[[float], Verdict | None] | None = None
    """Asked some twenty times a second, with the CPU seconds used, whether to end it, and why."""
    checkpoint: WatchedFile | None = None
    """What it writes on its way to go on from; it never ends or fails the job."""

    def __post_init__(self) -> None:
        if not self.argv or any("\0" in word for word in self.argv):
            raise ValueError("argv must name a program and hold no NUL")
        for name in (*self.files, *self.collect, *self.patterns, *self.optional):
            _check_relative(name)
        _check_no_nesting(self.files)
        if len(set(self.collect)) != len(self.collect):
            raise ValueError("an artefact is asked for twice")
        for name, value in self.environment.items():
            if not name or "=" in name or "\0" in name + value:
                raise ValueError(f"{name!r} cannot be an environment variable with that value")
        for path in self.readable:
            if not path.is_absolute() or ".." in path.parts or path == Path("/"):
                raise ValueError(f"a readable path must be absolute, free of '..' and not the root: {path}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a job is ended, or ended badly. `limit`: the field of Bounds that was met, or as in `Ended`, or ""."""

    kind: OutcomeKind
    cause: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended. `kind` is None when the program ended with status 0 and every artefact is there and in order.

    `status`: exit status of the program, -N when signal N ended it, None when it did not end by itself. `refused`:
    artefact to reason. `tampered`: what no honest program does. `usage` is measured by the parent. `limit`: the field
    of Bounds that it met (or "open_files", "gpu_memory"), as far as that is known; "" for none.
    """

    kind: OutcomeKind | None
    cause: str
    status: int | None
    tier: Tier
    artefacts: Mapping[str, bytes] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""
    usage: Usage = field(default_factory=Usage)
    limit: str = ""


def _check_relative(name: str) -> None:
    path = PurePosixPath(name)
    parts = name.split("/")
    if not name or "\0" in name or path.is_absolute() or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"not a plain relative path: {name!r}")


def _check_no_nesting(files: Mapping[str, bytes]) -> None:
    for name in files:
        for parent in PurePosixPath(name).parents:
            if str(parent) in files:
                raise ValueError(f"{parent} cannot be both a file and the directory of {name}")
