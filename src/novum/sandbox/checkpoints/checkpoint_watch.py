"""Copying a file out of a running sandbox whenever it has changed and is at rest: what a later run may start from.

Covered: symbolic links in every component, FIFOs, devices, hard links, size, a file that changes while it is read.
Not covered: a writer that pauses in the middle of its file for longer than `QUIET_SECONDS` (the copy is then of no use,
and whoever starts from it must be ready to start anew).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from novum.sandbox.collect import NoArtefact, opened_below, read_bounded
from novum.sandbox.job import Bounds, WatchedFile

QUIET_SECONDS = 0.25
"""Between two looks; a file that is the same at both is at rest."""
INTERVAL_SECONDS = 5.0
"""Between two copies, at least: a machine may go down, but not all the time."""
SHARE = 0.02
"""Of the time, at most, goes into copies: meanwhile nobody keeps the job's clock."""
OF_MEMORY = 32
"""A copy is at most the job's memory by this: those who hand it on hold up to three, beside what the job may use."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells one state of a file from another: inode, bytes, and time of the last change in nanoseconds.

    Of the inode, not of the content: a program cannot set it back, and so not pass later work off as earlier.
    """

    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, fd: int) -> _Version:
        seen = os.fstat(fd)
        return cls(seen.st_ino, seen.st_size, seen.st_ctime_ns)


def largest_copy(limits: Bounds) -> int:
    """Bytes of the largest file that is copied."""
    return min(limits.file_bytes, limits.memory_bytes // OF_MEMORY)


class CheckpointWatch:
    """Looks at one file, as often as it is asked to, and copies it when that is due. It raises nothing of its own.

    clock: seconds that never run backwards.
    """

    def __init__(self, file: WatchedFile, limits: Bounds, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._largest = largest_copy(limits)
        self._clock = clock
        self._next_look = self._next_copy = clock()
        self._seen: _Version | None = None
        self._copied: _Version | None = None
        self._used = (0.0, 0.0)

    def look(self, directory: int, cpu_seconds: float, wall_seconds: float) -> None:
        """Look below the open `directory`, where a job has used so much so far."""
        if self._clock() < self._next_look:
            return
        with suppress(OSError, NoArtefact), opened_below(directory, self._file.name) as fd:
            self._consider(fd, cpu_seconds, wall_seconds)
        self._next_look = self._clock() + QUIET_SECONDS

    def _consider(self, fd: int, cpu_seconds: float, wall_seconds: float) -> None:
        version = _Version.of(fd)
        if version != self._seen:
            self._seen, self._used = version, (cpu_seconds, wall_seconds)
        elif version != self._copied and 0 < version.size <= self._largest and self._clock() >= self._next_copy:
            self._copy(fd, version)

    def _copy(self, fd: int, version: _Version) -> None:
        began = self._clock()
        content = read_bounded(fd, self._largest)
        if _Version.of(fd) == version and len(content) == version.size:
            self._file.keep(content, *self._used)
            self._copied = version
        ended = self._clock()
        self._next_copy = ended + max(INTERVAL_SECONDS, (ended - began) / SHARE)
