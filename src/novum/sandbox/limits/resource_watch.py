"""Sums over a tree of processes that the kernel does not bound: memory, processes, CPU time. Looked at every 50 ms.

Covered: memory in proportional bytes (a shared page counts once), the number of processes, CPU seconds of processes
that are alive, and of those that ended between two looks what was seen of them last. Not covered: peaks between looks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from novum.core.model.trial import OutcomeKind
from novum.sandbox.job import Bounds, Verdict
from novum.sandbox.process_tree import descendants, proportional_bytes, resident_bytes

TICK_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watchdog:
    """Watches everything below `root`; `own` of the processes there are the sandbox's own."""

    root: int
    bounds: Bounds
    own: int
    peak_bytes: int = 0
    seen: dict[tuple[int, int], float] = field(default_factory=dict)
    verdict: Verdict | None = None

    def look(self) -> None:
        """Measure once; sets `verdict` when a bound is crossed."""
        tree = descendants(self.root)
        resident = resident_bytes(tree)
        if resident > self.bounds.memory_bytes:
            resident = proportional_bytes(tree)
        self.peak_bytes = max(self.peak_bytes, resident)
        for pid in tree:
            if (used := _used(pid)) is not None:
                self.seen[pid, used[0]] = used[1]
        if self.verdict is None:
            self.verdict = self._judge(len(tree) - self.own, resident)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of all processes that were ever seen, each as it was seen last."""
        return sum(self.seen.values())

    def _judge(self, processes: int, resident: int) -> Verdict | None:
        bounds = self.bounds
        if resident > bounds.memory_bytes:
            cause = f"{resident} bytes in {processes} processes, allowed are {bounds.memory_bytes}"
            return Verdict(OutcomeKind.OUT_OF_MEMORY, cause, "memory_bytes")
        if processes > bounds.processes:
            cause = f"had {processes} processes at once, allowed are {bounds.processes}"
            return Verdict(OutcomeKind.CRASHED, cause, "processes")
        if self.cpu_seconds > bounds.cpu_seconds:
            cause = f"used more than {bounds.cpu_seconds:g} s of CPU time"
            return Verdict(OutcomeKind.TIMED_OUT, cause, "cpu_seconds")
        return None


def _used(pid: int) -> tuple[int, float] | None:
    """Start time and CPU seconds of a process, its reaped children not counted."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        fields = os.read(fd, 4096).rpartition(b")")[2].split()
        return int(fields[19]), (int(fields[11]) + int(fields[12])) / _TICKS
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(fd)
