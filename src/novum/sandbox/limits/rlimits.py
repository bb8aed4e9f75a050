"""The kernel's limits for each process of a candidate, set from outside while child_init waits for its word."""

from __future__ import annotations

import math
import resource

from novum.sandbox.job import Bounds

_OWN_TASKS, _THREADS = 2, 32
_COARSE_SPACE = 1 << 30


def confine(pid: int, bounds: Bounds, other_tasks: int) -> None:
    """Limit process `pid` and all that it will start; `other_tasks` run under the same user already.

    Memory is bounded by its data, as libraries map much address space that they never use. Threads count as processes
    for the kernel, so its bound is generous; the watchdog counts processes exactly. Raises OSError.
    """
    cpu = math.ceil(bounds.cpu_seconds) + 1
    tasks = other_tasks + bounds.processes + _OWN_TASKS + _THREADS
    space = 2 * bounds.memory_bytes + _COARSE_SPACE
    limits = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_FSIZE: (bounds.file_bytes, bounds.file_bytes),
        resource.RLIMIT_DATA: (bounds.memory_bytes, bounds.memory_bytes),
        resource.RLIMIT_AS: (space, space),
        resource.RLIMIT_NPROC: (tasks, tasks),
        resource.RLIMIT_NOFILE: (1024, 1024),
    }
    for kind, (soft, hard) in limits.items():
        ceiling = resource.prlimit(pid, kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.prlimit(pid, kind, (soft, hard))
