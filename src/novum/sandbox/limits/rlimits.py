"""The kernel's limits for each process of a candidate, set from outside while child_init waits for its word."""

from __future__ import annotations

import math
import resource

from novum.sandbox.job import Bounds
from novum.sandbox.limits.limit_words import OPEN_FILES

_OWN_TASKS, _THREADS = 2, 32
_COARSE_SPACE = 1 << 30

# What comes out of pools that all programs of a user, or of the machine, share: locked memory, message queues, queued
# signals and timers, real-time priority. Core files: 1 byte and not 0, for at 0 the kernel still starts the machine's
# crash handler for every crash (core(5)); seccomp_filters.py keeps it from being lowered.
SHARED_POOLS = {
    resource.RLIMIT_CORE: (1, 1),
    resource.RLIMIT_MEMLOCK: (64 << 10, 64 << 10),
    **({resource.RLIMIT_MSGQUEUE: (0, 0), resource.RLIMIT_SIGPENDING: (512, 512), resource.RLIMIT_RTPRIO: (0, 0)}
       if hasattr(resource, "RLIMIT_SIGPENDING") else {}),
}  # fmt: skip


def confine(pid: int, bounds: Bounds, other_tasks: int, *, gpus: bool = False) -> None:
    """Limit process `pid` and all that it will start; `other_tasks` run under the same user already.

    gpus: it has some. Their drivers reserve more address space than there is memory, so that only what is resident
    is counted (resource_watch.py, control groups).

    Memory is bounded by its data, as libraries map much address space that they never use. Threads count as processes
    for the kernel, so its bound is generous; the watchdog counts processes exactly. Raises OSError.
    """
    cpu = math.ceil(bounds.cpu_seconds) + 1
    tasks = other_tasks + bounds.processes + _OWN_TASKS + _THREADS
    space = 2 * bounds.memory_bytes + _COARSE_SPACE
    limits = {
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_FSIZE: (bounds.file_bytes, bounds.file_bytes),
        **({} if gpus else {
            resource.RLIMIT_DATA: (bounds.memory_bytes, bounds.memory_bytes), resource.RLIMIT_AS: (space, space),
        }),
        resource.RLIMIT_NPROC: (tasks, tasks),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
        **SHARED_POOLS,
    }  # fmt: skip
    for kind, (soft, hard) in limits.items():
        ceiling = resource.prlimit(pid, kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.prlimit(pid, kind, (soft, hard))
