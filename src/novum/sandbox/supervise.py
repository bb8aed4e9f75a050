"""The parent's side of one run: send the job, give the word, keep the clock, end everything, collect, and judge.

Covered: wall and CPU time, memory and processes of the tree (resource_watch.py), a flood of output,
child_init when it is silent.
Artefacts are collected only when every process of the sandbox is dead and reaped. The exit status proves nothing: it
can only make an ending worse.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from novum.core.model.trial import OutcomeKind, Usage
from novum.sandbox.checkpoints.checkpoint_watch import CheckpointWatch
from novum.sandbox.collect import Harvest, collect
from novum.sandbox.ending import ending_of
from novum.sandbox.job import MOST_FILES, Ended, Job, SandboxUnavailable, Tier, Verdict
from novum.sandbox.limits.cgroup import Cgroup
from novum.sandbox.limits.cpu_counter import open_counter
from novum.sandbox.limits.resource_watch import TICK_SECONDS, Watchdog
from novum.sandbox.limits.rlimits import confine
from novum.sandbox.output_text import Log
from novum.sandbox.process_tree import MAXRSS_UNIT, descendants, kill
from novum.sandbox.subreaper import adopting

_CHUNK = 1 << 18
_ASK_SECONDS, _FORCE_SECONDS = 0.3, 5.0
_LAST_READS = 16
_PAUSE_SECONDS = 0.0005

Look = Callable[[], Verdict | None]


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that runs child_init. `directory`: its open work directory, where child_init does not pass it.

    `own`: how many processes are the sandbox's own; `other_tasks`: what else its user runs. `look`: a further look at
    the running job, a verdict or None.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket
    parcel: bytes
    started: float
    own: int
    tier: Tier
    other_tasks: int = 0
    directory: int = -1
    look: Look | None = None
    group: Cgroup | None = None


class Supervisor:
    """Runs one launched job to its end. `run` leaves no process behind."""

    def __init__(self, job: Job, launched: Launched) -> None:
        assert launched.process.stdout is not None and launched.process.stderr is not None
        self.job = job
        self.it = launched
        self.rest = memoryview(launched.parcel)
        self.streams = (launched.process.stdout, launched.process.stderr)
        self.logs = {stream.fileno(): Log(job.log_bytes) for stream in self.streams}
        self.watchdog = Watchdog(
            launched.process.pid,
            job.limits,
            launched.own,
            private_network=launched.tier is Tier.NAMESPACES,
            group=launched.group,
            files_bytes=self._files_bytes,
        )
        self.checkpoints = CheckpointWatch(job.checkpoint, job.limits) if job.checkpoint else None
        self.verdict: Verdict | None = None
        self.directory = launched.directory
        self.places: list[int] = []  # roots of the sandbox's own writable file systems, the work directory first
        self.first = 0
        self.begun = False
        self.remark = b""
        self.status: int | None = None
        self.poller = select.poll()
        self.reaped_seconds = self.counted_seconds = 0.0
        """CPU time by two ways that cover the same processes: of what was reaped, and as it was counted meanwhile."""
        self.peak_bytes = 0

    def run(self) -> Ended:
        """Wait for the end and say what it was. Raises SandboxUnavailable when child_init could not start."""
        pid = self.it.process.pid
        over = os.pidfd_open(pid)
        try:
            with adopting():
                try:
                    self._serve(over)
                finally:
                    self._end(over)
            job, harvest = self.job, Harvest()
            if self.begun:
                harvest = collect(self.directory, job.collect, job.max_artefact_bytes, job.patterns, job.optional)
            return self._judge(harvest)
        finally:
            os.close(over)
            for fd in self.places:
                os.close(fd)

    def _serve(self, over: int) -> None:
        self.it.channel.setblocking(False)
        self.poller.register(self.it.channel, select.POLLIN | select.POLLOUT)
        self.poller.register(over, select.POLLIN)
        for fd in self.logs:
            os.set_blocking(fd, False)
            self.poller.register(fd, select.POLLIN)
        deadline, tick = self.it.started + self.job.limits.seconds, self.it.started + TICK_SECONDS
        while self.verdict is None:
            now = time.monotonic()
            if now >= deadline:
                cause = f"ran longer than {self.job.limits.seconds:g} s"
                self.verdict = Verdict(OutcomeKind.TIMED_OUT, cause, "seconds")
            elif now >= tick:
                self.watchdog.look()
                self.verdict = self.watchdog.verdict or (self.it.look() if self.it.look else self._count_files())
                if self.verdict is None and self.job.judge is not None:
                    self.verdict = self.job.judge(self.watchdog.cpu_seconds)
                if self.begun and self.checkpoints is not None:
                    self.checkpoints.look(self.directory, self.watchdog.cpu_seconds, now - self.it.started)
                tick = time.monotonic() + TICK_SECONDS
            elif self._hear(min(deadline, tick) - now, over):
                return

    def _hear(self, seconds: float, over: int) -> bool:
        """Serve what is waiting; whether the launched process has ended."""
        ended = False
        for fd, event in self.poller.poll(seconds * 1000 + 1):
            if fd == over:
                ended = True
            elif fd in self.logs:
                self._read_log(fd)
            elif event & select.POLLOUT and self.rest:
                self._feed()
            else:
                self._listen()
        return ended

    def _feed(self) -> None:
        try:
            self.rest = self.rest[self.it.channel.send(self.rest[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:
            self.rest = self.rest[:0]  # it ended; why is in its output
        if not self.rest:
            self.poller.modify(self.it.channel, select.POLLIN)

    def _listen(self) -> None:
        """Hear the one word of child_init. All of it is sent before any foreign code runs."""
        data, passed = b"", list[int]()
        with suppress(OSError):
            data, passed, _, _ = socket.recv_fds(self.it.channel, 4096, 2)
        self.places += passed
        if data == b"ready" and not self.begun:
            self._begin()
            return
        self.remark += data
        if not data:
            self.poller.unregister(self.it.channel)

    def _begin(self) -> None:
        """Set the limits of the waiting child_init, take its work directory, then give it the word to start."""
        below = descendants(self.it.process.pid)
        try:
            if self.directory < 0 and not self.places:
                for way in ("cwd", "root/tmp"):
                    at = f"/proc/{below[-1]}/{way}"
                    self.places.append(os.open(at, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            self.directory = self.places[0] if self.places else self.directory
            confine(below[-1], self.job.limits, self.it.other_tasks, gpus=self.job.gpus is not None)
            if self.it.group is not None:
                self.it.group.add([self.it.process.pid, *below])
            self.watchdog.counter = open_counter(below[-1])
            self.watchdog.begun = True
            self.first = below[0]
            self.it.channel.send(b"!")
            self.begun = True
        except (OSError, ValueError, IndexError) as error:
            self.remark = f"it could not be given its limits: {error}".encode()
            self.it.channel.shutdown(socket.SHUT_WR)  # without the word, child_init ends

    def _files_bytes(self) -> int:
        """Bytes of files in the sandbox's own file systems, which are in memory."""
        found = map(os.fstatvfs, self.places)
        return sum((one.f_blocks - one.f_bfree) * one.f_frsize for one in found)

    def _count_files(self) -> Verdict | None:
        """Judge the number of files: each takes memory of the kernel that no limit of a process counts."""
        for fd in self.places:
            found = os.fstatvfs(fd)
            if found.f_files - found.f_ffree > MOST_FILES:
                return Verdict(OutcomeKind.CRASHED, f"made more than {MOST_FILES} files")
        return None

    def _read_log(self, fd: int) -> int:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return -1
        self.logs[fd].feed(data)
        if self.job.hear is not None and fd == self.streams[0].fileno():
            self.job.hear(data)
        if not data:
            with suppress(KeyError):
                self.poller.unregister(fd)
        return len(data)

    def _end(self, over: int) -> None:
        """End and reap what is left. Once process 1 of a namespace is reaped, all that was in it is gone."""
        if self.verdict is not None:
            self.watchdog.look()
        self.it.channel.close()
        asked = time.monotonic() + (0.0 if self.it.tier is Tier.NAMESPACES else _ASK_SECONDS)
        while not select.select([over], [], [], _PAUSE_SECONDS)[0]:
            if (now := time.monotonic()) < asked:
                continue
            pid = self.it.process.pid
            below = descendants(pid)
            kill(below[:1] if self.it.tier is Tier.NAMESPACES else below)
            if not below or now > asked + _FORCE_SECONDS:
                kill([pid])
        self.status = self._reap(self.it.process.pid)
        self._stop_counting()
        self.it.process.returncode = self.status
        if self.first and self.it.tier is Tier.NAMESPACES:
            kill([self.first])
            with suppress(ChildProcessError):  # bubblewrap reaped it, and its figures are in bubblewrap's
                self._reap(self.first)
        for fd in self.logs:
            # Bounded: a descriptor that found its way out would keep the pipe open for ever.
            for _ in range(_LAST_READS):
                if self._read_log(fd) <= 0:
                    break
        for stream in self.streams:
            stream.close()

    def _stop_counting(self) -> None:
        self.counted_seconds = max(self.counted_seconds, self.watchdog.cpu_seconds)
        if self.watchdog.counter is not None:
            self.watchdog.counter.close()
            self.watchdog.counter = None
        if self.it.group is not None:
            if self.verdict is None and self.it.group.ran_out_of_memory():
                cause = f"more than {self.job.limits.memory_bytes} bytes"
                self.verdict = Verdict(OutcomeKind.OUT_OF_MEMORY, cause, "memory_bytes")
            self.it.group.remove()

    def _reap(self, pid: int) -> int:
        _, status, used = os.wait4(pid, 0)
        self.reaped_seconds += used.ru_utime + used.ru_stime
        self.peak_bytes = max(self.peak_bytes, used.ru_maxrss * MAXRSS_UNIT)
        return os.waitstatus_to_exitcode(status)

    def _judge(self, harvest: Harvest) -> Ended:
        stdout, stderr = (log.text() for log in self.logs.values())
        if (self.remark or not self.begun) and self.verdict is None:
            why = self.remark.decode(errors="replace") or stderr.strip() or "no reason was given"
            raise SandboxUnavailable(f"the sandbox could not be entered: {why}")
        cpu = max(self.reaped_seconds, self.counted_seconds, self.watchdog.cpu_seconds)
        usage = Usage(cpu, time.monotonic() - self.it.started, max(self.peak_bytes, self.watchdog.peak_bytes))
        # bubblewrap and the keeper tell of a signal N as shells do, by 128 + N.
        assert self.status is not None
        status = self.status if self.status <= 128 else 128 - self.status
        verdict = self.verdict or ending_of(status, stderr, self.job.limits, cpu, harvest)
        return Ended(
            verdict.kind if verdict else None,
            verdict.cause if verdict else "",
            None if self.verdict else status,
            self.it.tier,
            harvest.artefacts if self.verdict is None else {},
            harvest.refused,
            tuple(harvest.tampered),
            stdout,
            stderr,
            usage,
            verdict.limit if verdict else "",
        )
