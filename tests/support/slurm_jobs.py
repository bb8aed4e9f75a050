"""Jobs of the slurm executor as processes of this machine, which dial in over loopback."""

from __future__ import annotations

import tempfile
from pathlib import Path

from dialled_in import door

from novum.executors.slurm.job_options import JobOptions
from novum.executors.slurm.slurm_executor import SlurmExecutor


def options(**changes) -> JobOptions:
    return JobOptions(**{"cluster": "local", "address": "127.0.0.1", "time": "5m", "give_up": 20.0, **changes})


class LocalJobs(SlurmExecutor):
    """With jobs of one slot, named after nothing but a program and the number of jobs."""

    def __init__(self, program, workers, **changes):
        self._lab = tempfile.TemporaryDirectory()
        self.said = []
        jobs = options(jobs=workers, **changes)
        super().__init__(program, workers, door=door(self._lab.name, say=self.said.append), jobs=jobs)

    @property
    def jobs(self):
        return list(self._keeper.jobs)

    @property
    def folder(self) -> Path:
        return self._folder

    def close(self):
        super().close()
        self._lab.cleanup()


class OneAtATime(LocalJobs):
    """Gives out one group at a time, as an executor in the lab's own process does."""

    slots = 1
