"""The server's watch over one running child: its channels, its clock, its memory, its descendants, its end.

Covered: wall time, memory and number of processes summed over the whole tree (looked at every 50 to 100 ms), the size
of the answer, a flood of output, a lab that dies meanwhile. Not covered: a peak shorter than the interval that the
kernel's own limits (see limits.py) do not catch, and memory in memfd or /dev/shm files that nobody has mapped.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novum.core.model.trial import Limits, OutcomeKind, Usage
from novum.executors.local.frames import ENTERED, MAX_FRAME_BYTES, Report
from novum.executors.local.kernel_limits import cpu_seconds
from novum.sandbox.limits.cpu_counter import TreeClock
from novum.sandbox.process_tree import Brood, descendants, kill, proportional_bytes, resident_bytes
from novum.sandbox.process_tree import cpu_seconds as running_seconds

if TYPE_CHECKING:
    from novum.executors.local.sandboxed_child import Room

_TICK_SECONDS = 0.05
_CALM_TICK_SECONDS = 0.1
_CHUNK = 1 << 18
_LAST_READS = 16
_KEPT_OUTPUT = 8192


class LabGoneError(Exception):
    """The lab closed its end of the control channel: nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Channels:
    """File descriptors to watch: the child's answer and output, the lab's control channel, the bell of SIGCHLD."""

    result: int
    log: int
    control: int
    bell: int


class Watch:
    """Watches one child from its fork at `started` (monotonic seconds) to the end of its last descendant.

    `idle_bytes` is the private memory of the idle server, which the child inherits and is not charged for.
    """

    def __init__(
        self,
        pid: int,
        channels: Channels,
        limits: Limits,
        started: float,
        idle_bytes: int,
        room: Room | None = None,
        clock: TreeClock | None = None,
        *,
        gpus: bool = False,
    ) -> None:
        self.pid = pid
        self.channels = channels
        self.limits = limits
        self.started = started
        self.brood = Brood()
        self.idle_bytes = idle_bytes
        self.room = room
        self.clock = clock
        self.gpus = gpus
        self.tree_bytes = 0
        self.payload = bytearray()
        self.output = b""
        self.verdict: tuple[OutcomeKind, str] | None = None

    def run(self) -> Report:
        """Wait for the end. Raises LabGoneError, with all descendants already dead."""
        poller = select.poll()
        for fd in (self.channels.result, self.channels.log, self.channels.control, self.channels.bell):
            poller.register(fd, select.POLLIN)
        deadline = self.started + self.limits.seconds
        tick = self.started + _TICK_SECONDS
        try:
            while self.pid not in self.brood.statuses and self.verdict is None:
                now = time.monotonic()
                if now >= deadline:
                    self.verdict = OutcomeKind.TIMED_OUT, f"ran longer than {self.limits.seconds:g} s (limits.seconds)"
                    break
                if now >= tick:
                    tick = now + self._look_at_tree()
                for fd, _ in poller.poll(max(0.0, min(deadline, tick) - now) * 1000 + 1):
                    self._hear(fd, poller)
        finally:
            self._end_tree()
        return self._report()

    def _hear(self, fd: int, poller: select.poll) -> None:
        if fd == self.channels.control:
            raise LabGoneError
        if fd == self.channels.bell:
            _drain(fd)
            self.brood.reap()
        elif self._read(fd) == 0:
            poller.unregister(fd)

    def _read(self, fd: int) -> int:
        """Bytes read; 0 at the end of the pipe, -1 when nothing is waiting."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return -1
        if fd == self.channels.log:
            self.output = (self.output + data)[-_KEPT_OUTPUT:]
        else:
            self.payload += data
            if len(self.payload) > MAX_FRAME_BYTES + len(ENTERED):
                self.verdict = OutcomeKind.INVALID, f"its answer is larger than {MAX_FRAME_BYTES} bytes"
        return len(data)

    def _look_at_tree(self) -> float:
        """Judge processes and memory; returns seconds until the next look."""
        tree = descendants(os.getpid())
        processes = len(tree) - (self.room.own_processes if self.room else 0)
        if processes > self.limits.processes:
            limit = self.limits.processes
            self.verdict = (
                OutcomeKind.CRASHED,
                f"had {processes} processes at once, allowed are {limit} (limits.processes)",
            )
        sockets = self.room.socket_bytes(tree) if self.room and self.payload.startswith(ENTERED) else 0
        resident = resident_bytes(tree) + sockets
        self.tree_bytes = max(self.tree_bytes, resident - len(tree) * self.idle_bytes)
        if resident > self.limits.memory_bytes:
            # Resident bytes count the pages inherited from this server again and again. With this server in the sum,
            # proportional bytes count each once, so that what is above its idle size belongs to the trial.
            used = proportional_bytes([os.getpid(), *tree]) - self.idle_bytes - len(self.payload) + sockets
            if used > self.limits.memory_bytes:
                limit = self.limits.memory_bytes
                self.verdict = OutcomeKind.OUT_OF_MEMORY, f"{used} bytes in {len(tree)} processes, allowed are {limit}"
        if self.limits.cpu_seconds is not None:
            self._look_at_clock(tree, self.limits.cpu_seconds)
        if self.room is not None and self.verdict is None:
            self.verdict = (found.kind, found.cause) if (found := self.room.look()) else None
        return (
            _TICK_SECONDS
            if self.limits.cpu_seconds or len(tree) > 1 or resident * 2 > self.limits.memory_bytes
            else _CALM_TICK_SECONDS
        )

    def _look_at_clock(self, tree: list[int], allowed: float) -> None:
        """Judge the CPU time of the whole tree, what has ended included."""
        used = max(self.brood.cpu_seconds + running_seconds(tree), self._counted_seconds())
        if used > allowed:
            self.verdict = (
                OutcomeKind.TIMED_OUT,
                f"used {used:.1f} s of CPU time, allowed are {allowed:.1f} (cpu_seconds)",
            )

    def _counted_seconds(self) -> float:
        return self.clock.seconds() if self.clock is not None else 0.0

    def _end_tree(self) -> None:
        if self.pid not in self.brood.statuses:
            kill([self.pid])
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # all there is where orphans cannot be adopted
        self.brood.end()

    def _report(self) -> Report:
        for fd in (self.channels.result, self.channels.log):
            # Bounded: a descriptor smuggled to another process would keep the pipe open, and full, for ever.
            for _ in range(_LAST_READS):
                if self._read(fd) <= 0:
                    break
        outside = self.room is not None and not self._has_entered()
        ended, cause = self._unentered() if outside else self.verdict or self._ending_of_child()
        peak = max(self.brood.peak_bytes - self.idle_bytes, self.tree_bytes, 0)
        used = max(self.brood.cpu_seconds, self._counted_seconds())
        usage = Usage(used, time.monotonic() - self.started, peak)
        output = self.output.decode(errors="replace")
        return Report(ended, cause, output, usage, b"" if ended else bytes(self.payload))

    def _has_entered(self) -> bool:
        """Whether the child told that its walls stand; takes that word off the answer."""
        entered = self.payload.startswith(ENTERED)
        del self.payload[: len(ENTERED)]
        return entered

    def _unentered(self) -> tuple[OutcomeKind, str]:
        return OutcomeKind.LOST, "the sandbox could not be entered, so nothing was run"

    def _ending_of_child(self) -> tuple[OutcomeKind | None, str]:
        code = os.waitstatus_to_exitcode(self.brood.statuses[self.pid])
        if code >= 0:
            if code or not self.payload:
                return OutcomeKind.CRASHED, f"ended without a result (exit status {code})"
            return None, ""
        allowed = cpu_seconds(self.limits, gpus=self.gpus)
        if -code == signal.SIGXCPU or (-code == signal.SIGKILL and self.brood.cpu_seconds >= allowed):
            return OutcomeKind.TIMED_OUT, f"used more than {allowed} s of CPU time (follows from limits.seconds)"
        if -code == signal.SIGXFSZ:
            return OutcomeKind.CRASHED, f"wrote a file larger than {self.limits.file_bytes} bytes (limits.file_bytes)"
        if -code == signal.SIGKILL:
            # Says nothing of the candidate unless it comes again: what is lost is run again, but not for ever.
            return OutcomeKind.LOST, "killed by SIGKILL, not by Novum: perhaps the machine ran out of memory"
        return OutcomeKind.CRASHED, f"killed by {_name(-code)}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _drain(fd: int) -> None:
    with suppress(BlockingIOError):
        while os.read(fd, 4096):
            pass
