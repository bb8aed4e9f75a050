"""Without a PID namespace: a process above the candidate that adopts, kills and reaps whatever the candidate started.

Sent inside with child_init. Covered: daemons (double fork, setsid), a parent that dies. Not covered: a candidate that
may send signals to the reaper itself, where nothing forbids that (see the gaps of the tiers).
"""

# ruff: noqa: PTH123, PTH208
from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SUBREAPER, _DUMPABLE, _KILL, _TICK_MILLISECONDS = 36, 4, 9, 200


def keep(channel: int) -> None:
    """Fork, and return in the child; this process stays to keep it, and ends as the child ends."""
    import _ctypes  # a tenth of the price of ctypes

    library: Any = None  # the process itself
    prctl = _ctypes.dlsym(_ctypes.dlopen(library, 2), "prctl")

    def call(option: int, value: int) -> None:
        _ctypes.call_function(prctl, (option, value, 0, 0, 0))

    call(_DUMPABLE, 0)  # so that the child cannot open its memory or its descriptors
    call(_SUBREAPER, 1)
    pid = os.fork()
    if pid == 0:
        call(_DUMPABLE, 1)
        os.setsid()
        return
    status = 1
    try:
        for fd in (0, 1, 2):
            os.close(fd)
        status = _wait(pid, channel)
        _end_everything()
    finally:
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)


def _wait(pid: int, channel: int) -> int:
    """Return the status of the child, or 9 once the parent wants the end or is gone. Orphans are reaped on the way."""
    poller = select.poll()
    poller.register(channel, 0)  # hang-up only: what the parent sends is for the child
    watched = os.pidfd_open(pid)
    poller.register(watched, select.POLLIN)
    while True:
        ready = poller.poll(_TICK_MILLISECONDS)
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == pid:
                    return ended[1]
        except ChildProcessError:
            return _KILL
        if any(fd == channel for fd, _ in ready):
            return _KILL


def _end_everything() -> None:
    """Kill and reap all that descends from here. Reaped, not only killed: their CPU time then counts."""
    while True:
        for pid in _below(os.getpid()):
            try:
                os.kill(pid, _KILL)
            except (ProcessLookupError, PermissionError):
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        select.select([], [], [], 0.001)


def _below(root: int) -> list[int]:
    found, frontier = [], [root]
    while frontier:
        top = frontier.pop()
        try:
            for task in os.listdir(f"/proc/{top}/task"):
                with open(f"/proc/{top}/task/{task}/children", "rb") as children:
                    below = [int(word) for word in children.read().split()]
                found += below
                frontier += below
        except OSError:
            continue
    return found
