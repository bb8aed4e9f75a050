"""Where jobs run: Slurm, asked by its own commands, or processes of this machine; both are given jobs by submitit."""

from __future__ import annotations

import getpass
import subprocess
import sys
import time
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any, Protocol

from novum.core.model.errors import ExecutorError, MissingExtra
from novum.executors.output_checks import clean
from novum.executors.slurm.job_options import JobOptions
from novum.executors.slurm.worker_job import WorkerJob

COMMAND_SECONDS = 60.0
"""That a command of Slurm may take."""
TAIL_CHARACTERS = 2000
_END_SECONDS = 5.0


class JobQueue(Protocol):
    """What becomes of jobs that have been submitted. look_seconds: how often to look."""

    look_seconds: float

    def alive(self, jobs: Set[str]) -> Set[str]:
        """Those that wait or run; all of them where it cannot be known now."""
        ...

    def cancel(self, jobs: Iterable[str]) -> None:
        """End them, whether they wait or run."""
        ...


class SlurmQueue:
    """By squeue and scancel: unlike sacct they need no accounting, which small sites do without."""

    look_seconds = 5.0

    def alive(self, jobs: Set[str]) -> Set[str]:
        try:
            asked = ["squeue", "--noheader", "--array", "--format=%i", f"--user={getpass.getuser()}"]
            found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=COMMAND_SECONDS)
        except (OSError, subprocess.SubprocessError):
            return jobs
        return jobs & set(found.stdout.split())

    def cancel(self, jobs: Iterable[str]) -> None:
        if names := list(jobs):
            subprocess.run(["scancel", *names], check=False, capture_output=True, timeout=COMMAND_SECONDS)


class ProcessQueue:
    """Of processes that submitit has started here, by its jobs."""

    look_seconds = 0.1

    def __init__(self, started: dict[str, Any]) -> None:
        self._started = started

    def alive(self, jobs: Set[str]) -> Set[str]:
        return {job for job in jobs if not self._started[job].done()}

    def cancel(self, jobs: Iterable[str]) -> None:
        ended = list(jobs)
        for job in ended:
            self._started[job].cancel()
        until = time.monotonic() + _END_SECONDS
        while self.alive(set(ended)) and time.monotonic() < until:
            time.sleep(0.01)


class Site:
    """Takes jobs and keeps their logs in a folder. Raises MissingExtra, ExecutorError."""

    def __init__(self, options: JobOptions, folder: Path) -> None:
        try:
            import submitit
        except ImportError:
            raise MissingExtra(
                "jobs are submitted by submitit, which is not installed: pip install 'novum[slurm]'"
            ) from None
        self._folder, self._started = folder, dict[str, Any]()
        python = options.python or sys.executable
        if options.cluster == "local":
            self._jobs: Any = submitit.LocalExecutor(folder, python=python)
            self._jobs.update_parameters(timeout_min=options.minutes, stderr_to_stdout=True, setup=list(options.setup))
            self.queue: JobQueue = ProcessQueue(self._started)
            return
        try:
            self._jobs = submitit.SlurmExecutor(folder, python=python)
            self._jobs.update_parameters(**options.asked_of_slurm)
        except RuntimeError:
            raise ExecutorError(
                "there is no Slurm here (no srun in PATH): start the lab on a login node of the site, or choose "
                "another executor"
            ) from None
        self.queue = SlurmQueue()

    def submit(self, job: WorkerJob, count: int) -> list[str]:
        """The names of jobs that the site has taken, several as one array. Raises ExecutorError."""
        try:
            taken = [self._jobs.submit(job)] if count == 1 else self._jobs.submit_array([job] * count)
        except (OSError, RuntimeError) as error:
            raise ExecutorError(f"the site takes no job: {clean(str(error)).strip()[-TAIL_CHARACTERS:]}") from error
        self._started.update({one.job_id: one for one in taken})
        return [one.job_id for one in taken]

    def tail(self, job: str) -> str:
        """The end of a job's log, in words when there is none."""
        path = self._started[job].paths.stdout
        try:
            text = clean(path.read_text(errors="replace"))[-TAIL_CHARACTERS:].strip()
        except OSError:
            return f"it has left no log: can nodes write to {self._folder}, and is it the same folder there?"
        return f"{path} ends in\n{text}" if text else f"its log {path} is empty"
