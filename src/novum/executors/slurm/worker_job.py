"""What a job does: it becomes `novum worker`. Imported on the nodes, so by them and for that alone."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import NoReturn

NAME = "slurm-"
"""How the machines of jobs are called, followed by the job."""


@dataclass(frozen=True, slots=True)
class WorkerJob:
    """The worker of a job. address: HOST:PORT of the lab. token: the file that holds it. give_up: seconds."""

    address: str
    token: str
    slots: int
    give_up: float

    def __call__(self) -> NoReturn:
        """Be that worker from now on: it hears the signals of this process, and its end is that of the job."""
        from submitit import JobEnvironment

        command = [sys.executable, "-m", "novum.cli", "worker", "--connect", self.address, "--token-file", self.token]
        name = f"{NAME}{JobEnvironment().job_id}"
        command += ["--slots", str(self.slots), "--name", name, "--give-up", f"{self.give_up:g}"]
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.execv(command[0], command)


def job_of(machine: str) -> str:
    """The job that a machine runs in, by its name; empty for one that runs in none."""
    return machine.removeprefix(NAME).rpartition("-")[0] if machine.startswith(NAME) else ""
