"""The processes below a parent: who they are, what they hold, and their end.

Read from Linux's /proc. Elsewhere the lists are empty and only the child's own process group can be ended.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PAGE = resource.getpagesize()
_PATIENCE_SECONDS = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
MARK = "NOVUM_WORKER"


def descendants(root: int) -> list[int]:
    """Every process below `root`, zombies included, `root` excluded."""
    found: list[int] = []
    frontier = [root]
    while frontier:
        below = _children(frontier.pop())
        found += below
        frontier += below
    return found


def _children(pid: int) -> list[int]:
    below: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 (strings are several times cheaper)
            with suppress(ProcessLookupError):
                below += map(int, _slurp(f"/proc/{pid}/task/{task}/children", 1 << 20).split())
        return below
    return [child for child in _processes() if _parent(child) == pid]  # a kernel without CONFIG_PROC_CHILDREN


def _processes() -> list[int]:
    try:
        return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    except OSError:
        return []


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return -1


def in_session(leader: int) -> list[int]:
    """Every live process of the session that process `leader` began, also after the end of that one (Linux)."""
    return [pid for pid in _processes() if (said := _stat(pid)) and said[3] == str(leader) and said[0] not in "ZX"]


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie (Linux)."""
    said = _stat(pid)
    return bool(said) and said[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    """State, parent, group, session and what follows them; empty when the process is gone."""
    with suppress(OSError):
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def memory_pages(pid: int | str = "self") -> tuple[int, int, int]:
    """Virtual, resident and private resident bytes of a process; zeros when it is gone."""
    try:
        size, resident, shared = _slurp(f"/proc/{pid}/statm").split()[:3]
    except (OSError, ValueError):
        return 0, 0, 0
    return int(size) * _PAGE, int(resident) * _PAGE, (int(resident) - int(shared)) * _PAGE


def _slurp(path: str, most: int = 4096) -> bytes:
    """Read a small file in one go; several times cheaper than pathlib, and this runs at every fork."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


def resident_bytes(pids: Iterable[int]) -> int:
    """Sum of resident bytes; pages that processes share count once for each, so this is an upper bound."""
    return sum(memory_pages(pid)[1] for pid in pids)


def proportional_bytes(pids: Iterable[int]) -> int:
    """Anonymous and shared memory of `pids`, each shared page divided among its owners. Slow: walks page tables."""
    return sum(map(_proportional, pids))


def _proportional(pid: int) -> int:
    total = 0
    with suppress(OSError, ValueError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_bytes().splitlines():
            if line.startswith((b"Pss_Anon:", b"Pss_Shmem:")):
                total += int(line.split()[1]) * 1024
    return total


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that running processes have used, with that of the children they have waited for."""
    return sum(map(_cpu_ticks, pids)) / _TICKS


def _cpu_ticks(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return sum(map(int, _slurp(f"/proc/{pid}/stat").rpartition(b")")[2].split()[11:15]))
    return 0


def user_tasks() -> int:
    """Threads that run under this user's id, in all processes."""
    count, me = 0, os.getuid()
    for pid in _processes():
        with suppress(OSError):
            folder = _PROC / str(pid)
            count += len(list((folder / "task").iterdir())) if folder.stat().st_uid == me else 0
    return count


class Brood:
    """Everything that descends from this process. It reaps, adds up CPU time, and ends what is left.

    Covered on Linux: daemonised descendants, because the server is a subreaper. Not covered: processes of other users
    (a setuid program), and a descendant that makes new processes faster than they can be killed for five seconds.
    """

    def __init__(self) -> None:
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self.statuses: dict[int, int] = {}

    def reap(self) -> bool:
        """Collect every process that has ended, without waiting; False when no descendant is left."""
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return True
                self.statuses[pid] = status
                self.cpu_seconds += usage.ru_utime + usage.ru_stime
                self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * MAXRSS_UNIT)
        return False

    def end(self) -> None:
        """Kill and reap until none is left. Raises TimeoutError after five seconds."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while self.reap():
            kill(descendants(os.getpid()))
            if time.monotonic() > give_up:
                raise TimeoutError("some processes of the trial could not be killed")
            time.sleep(0.0005)


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each; those that are gone or belong to others are passed over."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def marked(token: str) -> list[int]:
    """Find the processes whose environment at start named `token`: a server and all that it forked.

    Not covered: a descendant that called exec with another environment.
    """
    needle = f"{MARK}={token}".encode()
    found = []
    for pid in _processes():
        with suppress(OSError):
            if needle in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found
