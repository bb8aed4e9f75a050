"""CPU time of a process and of everything that it will ever start, counted by the kernel as it is used (perf events).

It misses nothing of children that nobody waits for, or that are killed: sums of what processes report do. Not counted:
what a program runs by way of an executable that it may not read itself, where the kernel stops counting. `open_counter`
gives None where perf events are denied (kernel.perf_event_paranoid above 2, some containers).
"""

from __future__ import annotations

import ctypes
import os
import struct
import time
from dataclasses import dataclass

_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
_SOFTWARE, _TASK_CLOCK, _SIZE = 1, 1, 112  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, PERF_ATTR_SIZE_VER5
_INHERIT, _NO_KERNEL, _NO_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6  # the clock runs on in the kernel all the same
_CLOSE_ON_EXEC = 8
_ATTRIBUTES = struct.pack("=IIQ24xQ", _SOFTWARE, _SIZE, _TASK_CLOCK, _INHERIT | _NO_KERNEL | _NO_HYPERVISOR)
_C = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class CpuCounter:
    """A running count; `close` it."""

    fd: int

    def seconds(self) -> float:
        """CPU seconds since it was opened, of the process and of all that it started since."""
        return int.from_bytes(os.read(self.fd, 8), "little") / 1e9

    def close(self) -> None:
        """Stop counting."""
        os.close(self.fd)


class TreeClock:
    """CPU time of what this thread starts from now on; its own is taken off. `close` it."""

    def __init__(self, counter: CpuCounter) -> None:
        self.counter = counter
        self.own = time.thread_time()

    def seconds(self) -> float:
        """CPU seconds of everything that was started since."""
        return max(0.0, self.counter.seconds() - (time.thread_time() - self.own))

    def close(self) -> None:
        """Stop counting."""
        self.counter.close()


def start_clock() -> TreeClock | None:
    """Count from now on what this thread starts; None where perf events are denied."""
    counter = open_counter(0)
    return TreeClock(counter) if counter is not None else None


def open_counter(pid: int) -> CpuCounter | None:
    """Count for process `pid` (0: the calling thread) from now on; what it started before is not counted."""
    number = _PERF_EVENT_OPEN.get(os.uname().machine)
    if number is None:
        return None
    attributes = ctypes.create_string_buffer(_ATTRIBUTES, _SIZE)
    any_cpu = no_group = ctypes.c_int(-1)
    flags = ctypes.c_ulong(_CLOSE_ON_EXEC)
    fd = _C.syscall(ctypes.c_long(number), attributes, ctypes.c_int(pid), any_cpu, no_group, flags)
    return CpuCounter(fd) if fd >= 0 else None
