"""Trials in this very process, one by one: for debugging with a debugger, and for tests.

Covered: exceptions, nonsense. Not covered: every limit, crashes of the interpreter, hangs, secrets of this process.
"""

from __future__ import annotations

import importlib
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from novum.core.model.errors import ExecutorError
from novum.core.model.ports import WarmsUp
from novum.core.model.trial import GroupResult, TrialGroup, TrialOutput, Usage
from novum.executors.local.child import Run
from novum.executors.output_checks import checked, classify, clean, failed
from novum.sandbox.gpus.gpu_locks import GpuLease, GpuPool
from novum.sandbox.process_tree import MAXRSS_UNIT

WAIT_SECONDS = 0.1
"""Between two looks at GPUs that others hold."""


class InlineExecutor:
    """The debug variant. `submit` returns when the group has run; Ctrl-C goes through to the caller."""

    isolation = "none: trials run in the lab's own process"
    slots = 1
    hands_out_gpus = True

    def __init__(
        self,
        program: str,
        workers: int = 1,  # noqa: ARG002 there is one, whoever asks
        *,
        gpus: GpuPool | None = None,
    ) -> None:
        self._gpus = gpus
        self._program = program
        self._run: Run | None = None
        self._done: list[GroupResult] = []

    def submit(self, group: TrialGroup) -> None:
        run = self._run or self._load()
        lease = self._held()
        try:
            self._execute(run, replace(group, gpus=lease.gpus) if lease else group)
        finally:
            if lease:
                lease.release()

    def _held(self) -> GpuLease | None:
        """The GPUs of a group, as soon as nobody else holds them."""
        while self._gpus and (lease := self._gpus.take()) is None:
            time.sleep(WAIT_SECONDS)
        return lease if self._gpus else None

    def _execute(self, run: Run, group: TrialGroup) -> None:
        started, cpu_before = time.monotonic(), _cpu_seconds()
        outputs = _attempt(run, group)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
        usage = Usage(_cpu_seconds() - cpu_before, time.monotonic() - started, peak)
        self._done.append(GroupResult(group, outputs, usage))

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        if not self._done:
            time.sleep(timeout)  # nothing can arrive meanwhile, but a caller that polls must not spin
        finished, self._done = self._done, []
        return finished

    def close(self) -> None:
        """Nothing to end; here so that variants are interchangeable."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> Run:
        try:
            module = importlib.import_module(self._program)
            run: Run = module.run
            if isinstance(module, WarmsUp):
                module.warm()
        except Exception as error:
            raise ExecutorError(f"the program {self._program!r} cannot be made ready: {error}") from error
        self._run = run
        return run


def _attempt(run: Run, group: TrialGroup) -> tuple[TrialOutput, ...]:
    try:
        return checked(run(group), group)
    except (Exception, SystemExit) as error:
        kind, cause = classify(error, group.limits)
        return failed(group, kind, clean(cause))


def _cpu_seconds() -> float:
    own, below = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime
