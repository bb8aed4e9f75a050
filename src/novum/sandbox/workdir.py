"""A private work directory outside, for the tiers that have no file system of their own.

Its name tells who owns it, so that the next run removes what a killed owner left behind. Covered: its size and number
of files, looked at while the job runs. Not covered: peaks between looks, and files that are deleted, mapped and closed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from novum.core.model.trial import OutcomeKind
from novum.sandbox.job import MOST_FILES, Bounds, Verdict
from novum.sandbox.process_tree import descendants

_PREFIX = "novum-sandbox-"
_BLOCK = 512


@contextmanager
def work_directory(base: Path | None, user: int | None) -> Iterator[Path]:
    """Make a private directory below `base` for one run, owned by `user`; it is removed afterwards."""
    root = base or Path(tempfile.gettempdir())
    _remove_stale(root)
    outer = root / f"{_PREFIX}{os.getpid()}-{_start_time(os.getpid())}-{secrets.token_hex(6)}"
    outer.mkdir(mode=0o711 if user is not None else 0o700)
    try:
        work = outer / "work"
        work.mkdir(mode=0o700)
        if user is not None:
            os.chown(work, user, user)
        yield work
    finally:
        _remove(outer)


def _remove_stale(root: Path) -> None:
    for entry in root.glob(f"{_PREFIX}*-*-*"):
        with suppress(OSError, ValueError):
            pid, start = entry.name.removeprefix(_PREFIX).split("-")[:2]
            if entry.lstat().st_uid == os.geteuid() and _start_time(int(pid)) != start:
                _remove(entry)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        # A candidate can make directories that not even their owner may enter.
        for parent, names, _ in os.walk(folder):
            for name in names:
                if not (path := Path(parent) / name).is_symlink():
                    with suppress(OSError):
                        path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _start_time(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def disk_look(work: Path, bounds: Bounds, root: int) -> Callable[[], Verdict | None]:
    """Make a look at the disk use of `work` by the processes below `root`: a verdict, or None while it is within."""

    def look() -> Verdict | None:
        used, files = _size(work)
        used += sum(map(_deleted, descendants(root)))
        if files > MOST_FILES:
            return Verdict(OutcomeKind.CRASHED, f"made more than {MOST_FILES} files")
        if used > bounds.disk_bytes:
            return Verdict(OutcomeKind.CRASHED, f"{used} bytes on disk, allowed are {bounds.disk_bytes}", "disk_bytes")
        return None

    return look


def _size(work: Path) -> tuple[int, int]:
    used = files = 0
    frontier = [str(work)]
    while frontier and files <= MOST_FILES:
        with suppress(OSError), os.scandir(frontier.pop()) as entries:
            for entry in entries:
                files += 1
                with suppress(OSError):
                    seen = entry.stat(follow_symlinks=False)
                    used += seen.st_blocks * _BLOCK
                    if stat.S_ISDIR(seen.st_mode):
                        frontier.append(entry.path)
    return used, files


def _deleted(pid: int) -> int:
    used = 0
    with suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 (many times a second)
            with suppress(OSError):
                seen = os.stat(f"/proc/{pid}/fd/{number}")  # noqa: PTH116
                used += seen.st_blocks * _BLOCK if seen.st_nlink == 0 and stat.S_ISREG(seen.st_mode) else 0
    return used
