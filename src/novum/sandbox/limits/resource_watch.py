"""Sums over a tree of processes: memory, processes, CPU time. Looked at every 50 ms.

Covered: memory as the job's control group counts it, else in proportional bytes (a shared page counts once) with what
its sockets may hold; the number of processes; CPU seconds as the kernel counts them, else of processes that are alive,
and of those that ended between two looks what was seen of them last. Not covered: peaks between looks, which only a
control group bounds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from novum.core.model.trial import OutcomeKind
from novum.sandbox.job import Bounds, Verdict
from novum.sandbox.limits.cgroup import Cgroup
from novum.sandbox.limits.cpu_counter import CpuCounter
from novum.sandbox.limits.socket_memory import descriptor_bytes, namespace_bytes
from novum.sandbox.process_tree import descendants, proportional_bytes, resident_bytes

TICK_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watchdog:
    """Watches everything below `root`; `own` of the processes there are the sandbox's own.

    `begun`: foreign code may run. `files_bytes`: how much of the group's memory is files of the sandbox.
    """

    root: int
    bounds: Bounds
    own: int
    private_network: bool = False
    begun: bool = False
    group: Cgroup | None = None
    counter: CpuCounter | None = None
    files_bytes: Callable[[], int] = int
    peak_bytes: int = 0
    seen: dict[tuple[int, int], float] = field(default_factory=dict)
    verdict: Verdict | None = None

    def look(self) -> None:
        """Measure once; sets `verdict` when a bound is crossed."""
        tree = descendants(self.root)
        resident = self._memory_of_group() if self.group else self._memory_of(tree)
        self.peak_bytes = max(self.peak_bytes, resident)
        for pid in tree:
            if (used := _used(pid)) is not None:
                self.seen[pid, used[0]] = used[1]
        if self.verdict is None:
            self.verdict = self._judge(len(tree) - self.own, resident)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of the job: what the kernel counts, else the sum over processes, each as it was seen last."""
        counted = self.counter.seconds() if self.counter else 0.0
        with suppress(OSError):
            counted = max(counted, self.group.cpu_seconds() if self.group else 0.0)
        return max(counted, sum(self.seen.values()))

    def _memory_of_group(self) -> int:
        assert self.group is not None
        try:
            return max(0, self.group.memory_bytes() - self.files_bytes())
        except OSError:
            return 0

    def _memory_of(self, tree: list[int]) -> int:
        resident = resident_bytes(tree)
        if resident > self.bounds.memory_bytes:
            resident = proportional_bytes(tree)
        if not tree or not self.begun:
            return resident
        return resident + (namespace_bytes(tree[-1]) if self.private_network else descriptor_bytes(tree))

    def _judge(self, processes: int, resident: int) -> Verdict | None:
        bounds = self.bounds
        if self.group and self.group.ran_out_of_memory():
            return Verdict(OutcomeKind.OUT_OF_MEMORY, f"more than {bounds.memory_bytes} bytes", "memory_bytes")
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
