"""What the machine has left: free bytes on a disk, and memory that can be had without swapping.

Memory is the least of what the kernel calls available (/proc/meminfo) and what the control groups (v2) that this
process is in leave it; their file cache counts as available, since the kernel gives it back. Elsewhere than on Linux it
is not known. Not covered: control groups of version 1, quotas of a user on a disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
MEMBERSHIP = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes that are free on the disk and available in memory; None where that is not known."""

    disk: int | None = None
    memory: int | None = None


Gauge = Callable[[], Reading]


def gauge(directory: Path) -> Gauge:
    """Reads the disk that `directory` is on, and this machine's memory."""
    groups = list(_groups(MEMBERSHIP, GROUPS))
    return lambda: Reading(free_bytes(directory), available_bytes(MEMINFO, groups))


def free_bytes(directory: Path) -> int | None:
    """Bytes that this user may still write on the disk of a directory."""
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def available_bytes(meminfo: Path, groups: list[Path]) -> int | None:
    """The least of what the machine and each control group leave."""
    known = [_of_machine(meminfo), *(_of_group(group) for group in groups)]
    return min((one for one in known if one is not None), default=None)


def _groups(membership: Path, root: Path) -> Iterator[Path]:
    """The control groups (v2) of this process that bound memory, the innermost first."""
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            hierarchy, _, name = line.partition("::")
            if hierarchy == "0":
                place = root / name.strip("/")
                yield from (one for one in (place, *place.parents) if one.is_relative_to(root) and _bounded(one))


def _bounded(group: Path) -> bool:
    try:
        return (group / "memory.max").read_text().strip() != "max"
    except OSError:
        return False


def _of_machine(meminfo: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _of_group(group: Path) -> int | None:
    try:
        most, used = (group / "memory.max").read_text().strip(), int((group / "memory.current").read_text())
        if most == "max":
            return None
        return max(0, int(most) - used + _cached(group))
    except (OSError, ValueError):
        return None


def _cached(group: Path) -> int:
    """Bytes of files that the kernel keeps in memory and would give back."""
    with suppress(OSError, ValueError):
        rows = (line.split() for line in (group / "memory.stat").read_text().splitlines())
        return sum(int(row[1]) for row in rows if len(row) == 2 and row[0] in ("inactive_file", "active_file"))
    return 0
