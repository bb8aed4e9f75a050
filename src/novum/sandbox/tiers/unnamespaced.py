"""Running a job without a file system of its own: a private directory, a keeper above the candidate, chosen walls."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum.sandbox.channel import compiled, parcel
from novum.sandbox.job import Ended, Job, Tier
from novum.sandbox.launch import launch
from novum.sandbox.limits.cgroup import Cgroup, make_cgroup
from novum.sandbox.process_tree import user_tasks
from novum.sandbox.supervise import Launched, Supervisor
from novum.sandbox.tiers.bubblewrap import PYTHON, environment
from novum.sandbox.visible.visible_paths import fresh_user
from novum.sandbox.workdir import disk_look, work_directory

Walls = Callable[[Path, bool], tuple[list[tuple[str, str]], bytes]]
"""Rules and filter for a work directory; the second tells whether a control group counts memory."""


@dataclass(frozen=True, slots=True)
class Inside:
    """How the candidate is confined: its tier, whether root becomes another user, and the walls (None: none)."""

    tier: Tier
    drops: bool
    walls: Walls | None


def run_outside(job: Job, inside: Inside, base: Path | None) -> Ended:
    """Run `job` in a private directory below `base`, and remove that afterwards."""
    group = None if inside.walls is None else make_cgroup(job.limits, own=1)
    try:
        return _run(job, inside, base, group)
    finally:
        if group is not None:
            group.remove()


def _run(job: Job, inside: Inside, base: Path | None, group: Cgroup | None) -> Ended:
    user = fresh_user() if inside.drops else None
    near, far = socket.socketpair()
    with near, far, work_directory(base, user) as work:
        plan: dict[str, Any] = {"work": str(work), "user": user, "keeper": compiled("process_reaper")}
        if inside.walls is not None:
            plan |= {"walls": compiled("landlock_apply"), "wall_arguments": inside.walls(work, group is not None)}
        started = time.monotonic()
        own = environment(job, str(work))
        directory = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            process = launch([*PYTHON, str(far.fileno())], [far.fileno()], own, user)
            far.close()
            launched = Launched(
                process,
                near,
                parcel(job, plan),
                started,
                own=0,
                tier=inside.tier,
                other_tasks=0 if user is not None else user_tasks(),
                directory=directory,
                look=disk_look(work, job.limits, process.pid),
                group=group,
            )
            return Supervisor(job, launched).run()
        finally:
            os.close(directory)
