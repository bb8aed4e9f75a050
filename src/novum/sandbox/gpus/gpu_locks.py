"""Who holds which GPU: an exclusive lock on a file for each, which the kernel frees when its holder dies.

Covered: all labs of one user on one machine. A lab that waits holds the turn, a lock of its own, so that labs that want
the same GPUs take them one after the other. Not covered: other users, other containers, programs that are not Novum's;
and a candidate that outlives a killed lab by the milliseconds until it is ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from novum.core.model.errors import UserError
from novum.core.model.hardware import Gpu


def lock_folder() -> Path:
    """The folder of this user's locks, the same whatever the environment says. Raises UserError."""
    folder = Path(f"/tmp/novum-gpus-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
    except OSError as error:
        raise UserError(f"the folder of GPU locks, {folder}, cannot be made: {error.strerror}") from None
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o022:
        raise UserError(f"{folder} is not a folder of this user alone: remove it, GPU locks go there")
    return folder


@dataclass
class GpuLease:
    """GPUs that are held until `release`."""

    gpus: tuple[Gpu, ...]
    _locks: list[int] = field(default_factory=list)

    def release(self) -> None:
        """Give them back. Harmless when repeated."""
        for fd in self._locks:
            os.utime(fd)  # so that the next to take one takes another that is free for longer
            os.close(fd)
        self._locks.clear()


class GpuPool:
    """The GPUs that a lab hands to its trial groups, `each` of them to one group. Not for use by several threads."""

    def __init__(self, gpus: Sequence[Gpu], each: int, folder: Path | None = None) -> None:
        self._gpus = tuple(gpus)
        self._each = each
        self._folder = folder or lock_folder()
        self._turn: int | None = None

    @property
    def each(self) -> int:
        """How many GPUs one group holds."""
        return self._each

    @property
    def groups(self) -> int:
        """How many groups can hold GPUs at once."""
        return len(self._gpus) // self._each

    def take(self) -> GpuLease | None:
        """`each` GPUs that nobody holds, those that are free for longest; None while there are not as many."""
        if self._turn is None:
            names = "\n".join(sorted(gpu.id for gpu in self._gpus))
            self._turn = self._lock("turn-" + hashlib.sha256(names.encode()).hexdigest()[:16])
            if self._turn is None:
                return None
        held: list[tuple[Gpu, int]] = []
        for gpu in sorted(self._gpus, key=self._last_used):
            if len(held) < self._each and (fd := self._lock(_file_name(gpu))) is not None:
                held.append((gpu, fd))
        if len(held) < self._each:
            for _, fd in held:
                os.close(fd)
            return None
        self.close()
        return GpuLease(tuple(gpu for gpu, _ in held), [fd for _, fd in held])

    def close(self) -> None:
        """Let others have the turn."""
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None

    def _lock(self, name: str) -> int | None:
        fd = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return fd

    def _last_used(self, gpu: Gpu) -> float:
        try:
            return (self._folder / _file_name(gpu)).stat().st_mtime
        except OSError:
            return 0.0


def _file_name(gpu: Gpu) -> str:
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in gpu.id)
