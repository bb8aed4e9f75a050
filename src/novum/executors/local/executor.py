"""Trials on this machine: warm fork servers, one per worker, and one forked child per trial group.

A program is a module with `run(group) -> Sequence[TrialOutput]` and an optional `warm()`; only the servers import it.
It is found as `python -m` finds modules: in the working directory, in PYTHONPATH, or installed.

Covered: wall and CPU time, memory, number of processes and file size of each group; crashes; nonsense; a server that
dies or hangs (the group is lost, which says nothing about its candidate); a lab that dies (nothing stays behind).
Not covered without `sandbox`: what the program reads, the network, many small files, signals to the lab.
"""

from __future__ import annotations

import os
import selectors
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, Usage
from novum.executors.local.frames import Frame, judge, pack_group, unpack_report
from novum.executors.local.slot import START_SECONDS, Slot
from novum.executors.output_checks import NonsenseError, clean, failed, with_output

if TYPE_CHECKING:
    from novum.sandbox.gpus.gpu_locks import GpuPool
    from novum.sandbox.job import Tier

_FAILED_STARTS_ALLOWED = 3
_LEAVE_SECONDS = 0.5
_LOOK_SECONDS = 0.02


class LocalExecutor:
    """Runs groups in forked children of `workers` warm servers; a context manager, not for use by several threads.

    Servers start when there is work, side by side. Groups wait in order until a server is free. `submit` and `collect`
    raise ExecutorError when three starts in a row fail. With `sandbox`, every group runs behind walls of that tier, or
    not at all. With `gpus`, a group begins when it holds its own, and holds them until it has ended.
    """

    isolation = "limits on a forked process; no sandbox"
    hands_out_gpus = True

    def __init__(self, program: str, workers: int, sandbox: Tier | None = None, *, gpus: GpuPool | None = None) -> None:
        if workers < 1:
            raise ExecutorError(f"an executor needs at least one worker, not {workers}")
        if sandbox is not None and gpus is not None:
            raise ExecutorError("forked children behind walls see no GPU: leave out the sandbox, or the GPUs")
        self._gpus = gpus
        self._program = program
        self._workers = workers
        self._sandbox = sandbox
        self._waiting: deque[tuple[TrialGroup, bytes]] = deque()
        self._done: list[GroupResult] = []
        self._slots: list[Slot] = []
        self._selector = selectors.DefaultSelector()
        self._failed_starts = 0
        self._unusable = ""
        self._closed = False
        self._owner = os.getpid()
        self._live: Path | None = None

    @property
    def slots(self) -> int:
        """One more than workers, so that a freed worker has its next group while the lab thinks about the last."""
        return self._workers + 1

    def show_progress_in(self, directory: Path) -> None:
        """Servers that start from now on have their trials write there how they are doing."""
        self._live = directory.absolute()

    def prepare(self) -> None:
        """Wait until one server has loaded the program, before there is work for it. Raises ExecutorError."""
        while not any(slot.ready for slot in self._slots):
            if not self._slots:
                self._start()
            self.collect(_LOOK_SECONDS)

    def submit(self, group: TrialGroup) -> None:
        if self._closed or self._unusable:
            raise ExecutorError(self._unusable or "this executor is closed")
        self._waiting.append((group, pack_group(group)))
        self._dispatch()

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        until = time.monotonic() + timeout
        while True:
            if self._closed:
                raise ExecutorError("this executor is closed")
            now = time.monotonic()
            wait = min([until, *(slot.deadline for slot in self._slots if self._owes(slot))]) - now
            heard = {key.data for key, _ in self._selector.select(0 if self._done else max(0.0, wait))}
            for slot in heard:
                self._hear(slot)
            # Only after hearing: the lab itself may have been away for longer than a deadline.
            for slot in [slot for slot in self._slots if slot not in heard and self._owes(slot)]:
                if time.monotonic() >= slot.deadline:
                    self._lose(slot, "it did not answer in time", patience=0)
            self._dispatch()
            if self._unusable and not self._done:
                raise ExecutorError(self._unusable)
            if self._done or time.monotonic() >= until:
                finished, self._done = self._done, []
                return finished

    def close(self) -> None:
        """Kill and reap every process, within a second. Groups that had not ended are forgotten."""
        if self._closed or os.getpid() != self._owner:
            return  # a fork of the lab does not own the servers
        self._closed = True
        until = time.monotonic() + _LEAVE_SECONDS
        for slot in self._slots:
            slot.dismiss()
        for slot in self._slots:
            slot.end(max(0.0, until - time.monotonic()))
        self._slots.clear()
        self._waiting.clear()
        self._selector.close()
        if self._gpus:
            self._gpus.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _owes(self, slot: Slot) -> bool:
        return not slot.ready or slot.group is not None

    def _dispatch(self) -> None:
        """Give waiting groups to free servers; start servers for groups that no server is free for, nor starting."""
        for slot in [slot for slot in self._slots if slot.ready and slot.group is None]:
            if not self._waiting:
                return
            lease = self._gpus.take() if self._gpus else None
            if self._gpus and lease is None:
                break
            group, packed = self._waiting.popleft()
            try:
                if lease is None:
                    slot.give(group, packed)
                else:
                    held = replace(group, gpus=lease.gpus)
                    slot.give(held, pack_group(held), lease)
            except OSError:
                self._waiting.appendleft((group, packed))
                self._lose(slot, "it took no work", patience=0)
        if self._unusable:
            return
        starting = sum(not slot.ready for slot in self._slots)
        for _ in range(min(self._workers - len(self._slots), len(self._waiting) - starting)):
            self._start()

    def _start(self) -> None:
        try:
            slot = Slot(self._program, self._sandbox, self._live)
        except OSError as error:
            raise ExecutorError(f"no worker process could be started: {error}") from error
        self._slots.append(slot)
        self._selector.register(slot.channel, selectors.EVENT_READ, slot)

    def _hear(self, slot: Slot) -> None:
        try:
            for frame in slot.receive():
                self._understand(slot, frame)
        except (EOFError, OSError):
            self._lose(slot, "it ended")
        except (NonsenseError, KeyError, TypeError, ValueError) as error:
            self._lose(slot, f"it sent nonsense ({error})", patience=0)

    def _understand(self, slot: Slot, frame: Frame) -> None:
        if not slot.ready:
            slot.ready = frame.header["event"] == "ready"
            self._failed_starts = 0
            return
        report = unpack_report(frame)
        if (group := slot.group) is None:
            raise NonsenseError("an answer to no question")
        slot.group = None
        slot.let_go()
        self._done.append(GroupResult(group, judge(report, group), report.usage))

    def _lose(self, slot: Slot, reason: str, patience: float = 0.2) -> None:
        """Part with a server. Its group is lost; one that never became ready counts as a failed start."""
        self._selector.unregister(slot.channel)
        self._slots.remove(slot)
        words = slot.last_words()
        ended = slot.end(patience)
        if slot.group is not None:
            cause = with_output(f"the worker server was lost: {reason} ({ended})", words)
            self._done.append(GroupResult(slot.group, failed(slot.group, OutcomeKind.LOST, cause), Usage()))
        if not slot.ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS_ALLOWED:
                self._give_up(f"{reason} ({ended})", words)

    def _give_up(self, reason: str, words: str) -> None:
        what = f"the worker server for {self._program!r} did not become ready in {_FAILED_STARTS_ALLOWED} starts"
        self._unusable = f"{what}: {reason}. {_advice(self._program, words)}\n{clean(words)}".rstrip()


def _advice(program: str, words: str) -> str:
    last = words.rpartition("\n")[2]
    if "No module named 'torch'" in last:
        return "This program needs PyTorch: pip install 'novum[arenas]'."
    if "No module named" in last:
        return f"{clean(last)}: install what is missing, or put its folder into PYTHONPATH."
    return f"Try it alone: python -c 'import {program}'. A start may take {START_SECONDS:g} s."
