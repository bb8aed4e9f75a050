"""What a site is asked for: which jobs, how many, and how their nodes reach the lab."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from novum.core.model.errors import StudyError

_TIME = re.compile(r"(\d+)([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}
_EVERYWHERE = "0.0.0.0"
_OURS = frozenset({"array", "output", "error", "requeue", "no_requeue", "signal", "time", "job_name"})
"""Options of sbatch that the executor needs for itself."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The table `[slurm]` of a machines file. Nothing is asked of the site that is not said here, but for the time.

    jobs: how many at once. cpus, gpus, memory_gb: of each; 0 GPUs and 0 GB leave these to the site. slots: trials at
    once in each job; 0 for one per CPU. time: such as 30m, 4h or 2d. address: HOST or HOST:PORT by which nodes reach
    the lab; without it the name of this host, and without a port any that is free. folder: for logs and the token, on
    a file system that nodes share; without it `slurm` in the lab's directory. setup: lines of shell before the worker
    starts. python: the interpreter on the nodes; without it this one. more: further options of sbatch by their long
    names, such as qos. give_up: seconds without a lab after which a worker ends. cluster: local starts the jobs as
    processes of this machine, to try things out.
    """

    jobs: Annotated[int, Ge(1), Le(1000)] = 1
    cpus: Annotated[int, Ge(1), Le(4096)] = 1
    gpus: Annotated[int, Ge(0), Le(64)] = 0
    memory_gb: Annotated[int, Ge(0)] = 0
    slots: Annotated[int, Ge(0), Le(4096)] = 0
    time: str = "1h"
    partition: str = ""
    account: str = ""
    address: str = ""
    folder: str = ""
    setup: tuple[str, ...] = ()
    python: str = ""
    more: Mapping[str, str | int | bool] = field(default_factory=dict)
    give_up: Annotated[float, Gt(0)] = 120.0
    cluster: Literal["slurm", "local"] = "slurm"

    def __post_init__(self) -> None:
        if not (found := _TIME.fullmatch(self.time)) or not int(found[1]):
            raise StudyError(f"slurm.time: cannot be {self.time!r}; write such as 30m, 4h or 2d")
        port = self.address.partition(":")[2]
        if self.address.count(":") > 1 or self.address.endswith(":") or (port and not 0 < _number(port) < 1 << 16):
            raise StudyError(f"slurm.address: cannot be {self.address!r}; write HOST or HOST:PORT, such as login1:7461")
        if taken := sorted(name for name in self.more if name.replace("-", "_") in _OURS):
            raise StudyError(f"slurm.more: {taken[0]!r} is set by the executor itself")

    @property
    def minutes(self) -> int:
        """The time limit of a job."""
        found = _TIME.fullmatch(self.time)
        assert found
        return int(found[1]) * _MINUTES[found[2]]

    @property
    def trials(self) -> int:
        """At once, in each job."""
        return self.slots or self.cpus

    @property
    def listen(self) -> str:
        """Where the lab listens: on all its addresses, as nodes come by a network that only the site knows."""
        return f"{_EVERYWHERE}:{self.address.partition(':')[2] or 0}"

    def reached_at(self, listening: str) -> str:
        """The address that nodes are told, of a lab that listens at `listening` (HOST:PORT)."""
        host, _, port = listening.rpartition(":")
        named = self.address.partition(":")[0]
        return f"{named or (socket.gethostname() if host == _EVERYWHERE else host)}:{port}"

    def place(self, lab: Path) -> Path:
        """The folder for logs and the token of a lab in a directory."""
        return (Path(self.folder).expanduser() if self.folder else lab / "slurm").absolute()

    @property
    def asked_of_slurm(self) -> dict[str, Any]:
        """The same in the words of sbatch, as submitit takes them.

        Slurm must not begin a job again by itself, as the executor does so where there is work. Shortly before a time
        limit it sends the signal that a worker leaves on: by default submitit's own would kill what trials run in.
        """
        named = {"partition": self.partition, "account": self.account, "gpus_per_node": self.gpus}
        return {
            "job_name": "novum",
            "time": self.minutes,
            "cpus_per_task": self.cpus,
            "srun_args": [f"--cpus-per-task={self.cpus}"],  # of Slurm 22.05 and later, which do not pass this on
            "stderr_to_stdout": True,
            "setup": list(self.setup),
            "additional_parameters": {**self.more, "no_requeue": True, "signal": "TERM@30"},
            **({"mem": f"{self.memory_gb}GB"} if self.memory_gb else {}),
            **{name: value for name, value in named.items() if value},
        }


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
