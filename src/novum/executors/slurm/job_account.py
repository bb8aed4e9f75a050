"""Which jobs there are, which of them have joined, and how many to submit now: a pure account with the time given."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

FAILED_STARTS_ALLOWED = 3
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 300.0
SHORT_SECONDS = 60.0
"""A job that was at work for less than that, before it ended, is as suspect as one that never was."""


@dataclass(slots=True)
class JobState:
    """A job that has not ended, as far as is known. joined: when its machine was first seen, by the lab's clock."""

    joined: float | None = None


class JobAccount:
    """Keeps `wanted` jobs; after ends that come too soon, one behind the other, it waits longer each time."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._short, self._not_before = 0, 0.0
        self.jobs: dict[str, JobState] = {}
        self.failed_starts = 0
        """Jobs in a row that ended before they had joined, or that the site did not take."""

    @property
    def hopeless(self) -> bool:
        """Whether too many starts in a row have failed to expect anything of the next."""
        return self.failed_starts >= FAILED_STARTS_ALLOWED

    def lacking(self, now: float) -> int:
        """How many jobs to submit now."""
        return max(0, self._wanted - len(self.jobs)) if now >= self._not_before else 0

    def submitted(self, jobs: Iterable[str]) -> None:
        """The site has taken jobs."""
        self.jobs.update({job: JobState() for job in jobs})

    def refused(self, now: float) -> None:
        """The site has not taken a job."""
        self.failed_starts += 1
        self._wait(now)

    def joined(self, jobs: Set[str], now: float) -> None:
        """The machines of jobs are here."""
        for job in jobs & self.jobs.keys():
            if self.jobs[job].joined is None:
                self.jobs[job].joined = now
                self.failed_starts = 0

    def ended(self, alive: Set[str], now: float, *, busy: bool) -> list[str]:
        """Jobs that are over, given those that are not. busy: whether there was work, or one could not have joined."""
        over = [job for job in self.jobs if job not in alive]
        for job in over:
            began = self.jobs.pop(job).joined
            if began is None:
                self.failed_starts += busy
            if began is not None and now - began >= SHORT_SECONDS:
                self._short = 0
            else:
                self._wait(now)
        return over

    def _wait(self, now: float) -> None:
        self._short += 1
        self._not_before = now + min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(self._short, 20))
