"""Trials in the jobs of a Slurm site: an array of workers that dial in, and others in the place of those that end.

Workers pull groups, so that a job waits in the queue of the site once for its time limit, not for each group. A job
that ends by its limit, for others (preemption) or with its node gives back what it held, and that is run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from novum.core.model.errors import ExecutorError
from novum.core.model.trial import GroupResult, TrialGroup
from novum.executors.remote.remote_executor import Door, RemoteExecutor
from novum.executors.slurm.job_keeper import JobKeeper, LabSide
from novum.executors.slurm.job_options import JobOptions
from novum.executors.slurm.job_site import Site
from novum.executors.slurm.worker_job import WorkerJob

TOKEN_FILE = "token"


class SlurmExecutor(RemoteExecutor):
    """A remote executor that submits its own workers; further machines may join as well.

    Jobs are cancelled when it is closed. If it is killed, workers end after `give_up` seconds without it. Raises
    ExecutorError when the site takes no job, and when three jobs in a row end before they have joined.
    """

    options = JobOptions

    def __init__(
        self,
        program: str,
        workers: int,
        *,
        door: Door,
        requires: Sequence[str] = (),
        depends: Sequence[str] = (),
        jobs: JobOptions | None = None,
    ) -> None:
        super().__init__(program, workers, door=door, requires=requires, depends=depends)
        self._options = jobs or JobOptions()
        self._folder = self._options.place(door.credentials.directory)
        self._keeper: JobKeeper | None = None
        self._owed = 0
        self._told = ""

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        site = Site(self._options, self._folder)
        super().__enter__()
        try:
            self.address = self._options.reached_at(self.address)
            self._hand_out_token()
            self._keeper = self._hire(site)
            self._keeper.open()
        except BaseException:
            self.close()
            raise
        return self

    def submit(self, group: TrialGroup) -> None:
        super().submit(group)
        self._owed += 1

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        found = super().collect(timeout)
        self._owed -= sum(not one.late for one in found)
        if not found and self._keeper and self._keeper.problem:
            raise ExecutorError(self._keeper.problem)
        return found

    def close(self) -> None:
        """Send all machines away, cancel all jobs and stop listening; an interrupt meanwhile leaves none of it out."""
        keeper, self._keeper = self._keeper, None
        with ExitStack() as last_first:
            if keeper:
                last_first.callback((self._folder / TOKEN_FILE).unlink, missing_ok=True)
                last_first.callback(keeper.cancel)
            last_first.callback(super().close)
            if keeper:
                keeper.close()

    def _hire(self, site: Site) -> JobKeeper:
        options = self._options
        job = WorkerJob(self.address, str(self._folder / TOKEN_FILE), options.trials, options.give_up)
        lab = LabSide(
            machines=lambda: list(self.machines),
            part=lambda machine, reason: self.drain(machine, reason, now=True),
            busy=lambda: self._owed > 0,
            renew=self._hand_out_token,
            say=self._door.say,
        )
        return JobKeeper(site, job, options.jobs, lab)

    def _hand_out_token(self) -> None:
        """Put the token where jobs look for it when they start, by which time it may be another."""
        if (token := str(self._door.credentials.token)) != self._told:
            self._door.credentials.write_token(self._folder / TOKEN_FILE)
            self._told = token
