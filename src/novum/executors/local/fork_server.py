"""A warm fork server: `python -m novum.executors.local.fork_server PROGRAM CONTROL_FD LAB_PID [TIER]`.

It imports the program once, calls its `warm()`, and from then on forks one child per trial group. It holds no secret
and no data, for its children inherit its memory, and it has one thread, for a fork copies locks but not threads.

Covered: when the lab ends in any way (SIGKILL included), this server hears the end of its control channel, kills
everything below it and exits; while it warms up, the kernel kills it. Not covered without a PID namespace: when this
server is itself killed at the same moment as the lab, the child dies with it, but a daemon that the child started
lives on. (When only the server is killed, the lab ends such daemons, see slot.py.)
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from contextlib import nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from novum.core.model.ports import WarmsUp
from novum.core.model.trial import TrialGroup
from novum.executors.local.child import Birth, Run, live
from novum.executors.local.child_watch import Channels, LabGoneError, Watch
from novum.executors.local.frames import Frame, Report, pack, pack_report, take, unpack_group
from novum.executors.local.kernel_limits import adopt_orphans, die_with_parent, process_ceiling
from novum.sandbox.limits.cpu_counter import start_clock
from novum.sandbox.process_tree import Brood, memory_pages

if TYPE_CHECKING:
    from novum.executors.local.sandboxed_child import Room, Walls


def main(program: str, control_fd: int, lab: int, tier: str | None = None) -> NoReturn:
    """Warm up, announce it, serve until the lab is gone. Exit status 1: the program could not be made ready.

    With `tier`, every child enters a sandbox of that tier before it runs anything; a trial entry comes first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(lab, signal.SIGKILL)
    adopt_orphans()
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    try:
        if tier is not None:
            from novum.executors.local.sandboxed_child import (
                Walls,  # only here: without a sandbox, a server starts as it did
            )

            walls = Walls(tier, program)
        run = _prepare(program)
        if tier is not None:
            walls.try_out()
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    _let_go_of_files(control_fd)
    with suppress(AttributeError):
        # What a child printed before a kill must be in the pipe, not in a buffer that dies with the process.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    bells = _arm(lab)
    with suppress(LabGoneError, OSError):
        control.sendall(pack({"event": "ready"}))
        Server(run, control, bells, walls if tier is not None else None).serve()
    _leave()


class Server:
    """One child at a time, for as long as the lab sends groups."""

    def __init__(self, run: Run, control: socket.socket, bells: tuple[int, int], walls: Walls | None = None) -> None:
        self.run = run
        self.control = control
        self.bell, self.ringer = bells
        self.ceiling = process_ceiling()
        self.pid = os.getpid()
        self.walls = walls

    def serve(self) -> NoReturn:
        """Serve for ever. Raises LabGoneError when there is nobody left to serve."""
        while True:
            group = unpack_group(self._receive())
            with nullcontext() if self.walls is None else self.walls.room() as room:
                self.control.sendall(pack_report(self._supervise(group, room)))

    def _receive(self) -> Frame:
        buffer = bytearray()
        while (frame := take(buffer)) is None:
            if not (data := self.control.recv(1 << 16)):
                raise LabGoneError
            buffer += data
        return frame

    def _supervise(self, group: TrialGroup, room: Room | None) -> Report:
        started, idle = time.monotonic(), memory_pages()
        result, result_end = os.pipe()
        log, log_end = os.pipe()
        clock = start_clock()
        try:
            pid = os.fork()
            if pid == 0:
                counting = () if clock is None else (clock.counter.fd,)
                close = (result, log, self.control.fileno(), self.bell, self.ringer, *counting)
                live(self.run, group, Birth(result_end, log_end, close, self.pid, idle[0], self.ceiling, room))
        finally:
            os.close(result_end)
            os.close(log_end)
        try:
            for fd in (result, log):
                os.set_blocking(fd, False)
            channels = Channels(result, log, self.control.fileno(), self.bell)
            gpus = bool(group.gpus)
            return Watch(pid, channels, group.limits, started, idle[2], room, clock, gpus=gpus).run()
        finally:
            if clock is not None:
                clock.close()
            os.close(result)
            os.close(log)


def _prepare(program: str) -> Run:
    module = importlib.import_module(program)
    run: Run = module.run
    if isinstance(module, WarmsUp):
        module.warm()
    Brood().end()  # helpers that warm() started would count against, and die with, the first group
    tasks = Path("/proc/self/task")
    if tasks.exists() and (count := len(list(tasks.iterdir()))) > 1:
        raise RuntimeError(f"importing {program} and warm() left {count} threads; a server that forks must have one")
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise touch, and so copy, every page of this heap
    return run


def _let_go_of_files(control_fd: int) -> None:
    """Point every file that `warm()` left open to /dev/null: an offset shared by all children would let trials meet."""
    with suppress(FileNotFoundError):
        for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
            if number > 2 and number != control_fd:
                with suppress(OSError):
                    os.fstat(number)  # the listing's own descriptor is closed by now and must stay so
                    null = os.open(os.devnull, os.O_RDWR)
                    os.dup2(null, number, inheritable=False)
                    os.close(null)


def _arm(lab: int) -> tuple[int, int]:
    """From now on hear the end of the lab instead of suffering it: the daemons of a child must be killed first.

    Returns the two ends of the pipe in which SIGCHLD rings.
    """
    bell, ringer = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(ringer, False)
    signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)

    def leave_with_lab(_signal: int, _frame: FrameType | None) -> None:
        # The kernel also sends this when only the thread that started the server ends, with the lab alive.
        if os.getppid() != lab:
            _leave()

    signal.signal(signal.SIGHUP, leave_with_lab)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: _leave())
    die_with_parent(lab, signal.SIGHUP)
    return bell, ringer


def _leave() -> NoReturn:
    status = 0
    try:
        Brood().end()
    except TimeoutError:
        status = 1  # the lab will look for what is left
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
