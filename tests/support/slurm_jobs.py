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
    """With jobs of one slot, made from nothing but a program and the number of jobs."""

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

    @property
    def door(self):
        return self._door

    def worker(self, job):
        """The process of a job that is `novum worker`: the one that submitit's own has started."""
        (found,) = _below(job)
        return found

    @property
    def busy(self):
        """Whether its only job runs a group, by the processes below it."""
        (job,) = self.jobs
        return any(_below(server) for server in _below(self.worker(job)))

    def close(self):
        super().close()
        self._lab.cleanup()


def runs(pid):
    """Whether a process lives; a zombie that a container's init does not collect does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _below(pid):
    """Children of a process, whichever of its threads has started them."""
    return [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]
