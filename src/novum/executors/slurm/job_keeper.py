"""Keeps jobs running while there is work, in a thread of its own, as a site may take its time to answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from novum.core.model.errors import ExecutorError
from novum.executors.slurm.job_account import FAILED_STARTS_ALLOWED, JobAccount
from novum.executors.slurm.job_site import COMMAND_SECONDS, Site
from novum.executors.slurm.worker_job import WorkerJob, job_of


@dataclass(frozen=True, slots=True)
class LabSide:
    """The lab as its jobs' keeper sees it.

    machines: those that are here. part: called with a machine whose job has ended, and the reason. busy: whether there
    is work. renew: have the token where jobs look for it. say: told what is done, a line each.
    """

    machines: Callable[[], Iterable[str]]
    part: Callable[[str, str], object]
    busy: Callable[[], bool]
    renew: Callable[[], None]
    say: Callable[[str], None]


class JobKeeper:
    """Submits jobs, sees them end, and submits others in their place.

    lab: what it needs to know of the lab. `problem` says why it has given up; it is empty as long as it has not.
    """

    def __init__(self, site: Site, job: WorkerJob, wanted: int, lab: LabSide) -> None:
        self._site, self._job, self._lab = site, job, lab
        self._account = JobAccount(wanted)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="novum-jobs", daemon=True)
        self._wanted, self._last = wanted, ""
        self.problem = ""

    @property
    def jobs(self) -> list[str]:
        """Those that wait or run, as far as is known."""
        return list(self._account.jobs)

    def open(self) -> None:
        """Submit the first jobs, and look after them from now on. Raises ExecutorError when the site takes none."""
        self._submit(self._wanted)
        self._thread.start()

    def close(self) -> None:
        """Submit no more. Those that are there are not ended yet."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2 * COMMAND_SECONDS)

    def cancel(self) -> None:
        """End all jobs."""
        self._site.queue.cancel(self.jobs)

    def _keep(self) -> None:
        while not (self.problem or self._closing.wait(self._site.queue.look_seconds)):
            try:
                self._look()
            except Exception as error:  # a thread that dies in silence would leave the lab waiting for ever
                if not self._closing.is_set():
                    self.problem = f"the jobs cannot be looked after: {type(error).__name__}: {error}"

    def _look(self) -> None:
        account, lab, busy = self._account, self._lab, self._lab.busy()
        lab.renew()
        account.joined({job_of(one) for one in lab.machines()}, time.monotonic())
        over = account.ended(self._site.queue.alive(set(account.jobs)), time.monotonic(), busy=busy)
        self._last = over[-1] if over else self._last
        for machine in [one for one in lab.machines() if job_of(one) in over]:
            lab.part(machine, f"its job {job_of(machine)} has ended")
        if not busy:
            return
        if account.hopeless and not list(lab.machines()):
            self.problem = self._why()
        elif count := account.lacking(time.monotonic()):
            self._replace(count)

    def _replace(self, count: int) -> None:
        try:
            self._submit(count)
        except ExecutorError as error:
            self._account.refused(time.monotonic())
            self._last = ""
            self._lab.say(f"{error}; it is asked again")

    def _submit(self, count: int) -> None:
        jobs = self._site.submit(self._job, count)
        self._account.submitted(jobs)
        self._lab.say(f"submitted {'a job' if count == 1 else f'{count} jobs'} that run trials: {', '.join(jobs[:8])}")

    def _why(self) -> str:
        times = FAILED_STARTS_ALLOWED
        if not self._last:
            return f"the site has refused a job {times} times in a row; `squeue --me` and `sinfo` tell more"
        return (
            f"{times} jobs in a row ended before they had joined the lab, the last of them {self._last}. Its Python "
            "must have novum and submitit (`setup` and `python` in the machines file), and its node must reach "
            f"{self._job.address} (`address`); {self._site.tail(self._last)}"
        )
