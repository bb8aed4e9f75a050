"""Bounds that the kernel enforces on a child, and the ties that let it die with its parent.

Covered, per process: address space, CPU seconds, bytes of one file, no core dumps; outside root also a coarse bound
on the user's processes. Not covered here: sums over several processes (the server's watchdog), disk use by many small
files, memory held in unmapped memfd or /dev/shm files, the network.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
from collections.abc import Mapping

from novum.core.model.hardware import SPINNING
from novum.core.model.trial import Limits
from novum.sandbox.process_tree import user_tasks

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SLACK_TASKS = 1024
_RESERVE_BYTES = 16 << 20
_NO_CORE_FILES = {resource.RLIMIT_CORE: (0, 0)}
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)  # looked up before the fork: each page a child touches is copied
if _PRCTL is not None:
    _PRCTL.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def die_with_parent(parent: int, with_signal: int) -> None:
    """Have the kernel send `with_signal` to this process when its parent, process `parent`, is gone (Linux).

    Strictly the kernel means the thread that started this process.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, with_signal, 0, 0, 0)
    # The parent may have died before the call above: then no signal will ever come.
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, daemons included (Linux)."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_ceiling() -> int | None:
    """Threads this user may have before a child's fork fails; None for root, whom the kernel does not bound.

    It counts what else the user runs, so it leaves 1,024 for that; the watchdog is the tight bound.
    """
    return None if os.getuid() == 0 else user_tasks() + _SLACK_TASKS


def cpu_seconds(limits: Limits, *, gpus: bool = False) -> int:
    """CPU seconds after which a process is ended: the wall limit and one more, as the children have one thread.

    gpus: it holds some, and several threads may spin while they wait for them.
    """
    return math.ceil(limits.seconds * (SPINNING if gpus else 1)) + 1


def confine(
    limits: Limits,
    space: int,
    ceiling: int | None,
    further: Mapping[int, tuple[int, int]] = _NO_CORE_FILES,
    *,
    gpus: bool = False,
) -> None:
    """Apply `limits` to this process, whose address space is `space` bytes now, and to all that it will start.

    `further`: soft and hard bounds by number of the kernel's limit. `gpus`: it holds some, whose drivers reserve more
    address space than there is memory, so only the watchdog bounds that.
    """
    for kind, (soft, hard) in further.items():
        _lower(kind, soft, hard)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes)
    seconds = cpu_seconds(limits, gpus=gpus)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    if ceiling is not None:
        _lower(resource.RLIMIT_NPROC, ceiling + limits.processes, ceiling + limits.processes)
    if space and not gpus:
        _lower(resource.RLIMIT_AS, space + limits.memory_bytes, space + limits.memory_bytes + _RESERVE_BYTES)


def release_reserve() -> None:
    """Allow 16 MiB more address space: enough to report that memory ran out."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _lower(kind: int, soft: int, hard: int) -> None:
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))
