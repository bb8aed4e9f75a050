"""Running a job in namespaces of its own, by one particular bubblewrap."""

from __future__ import annotations

import os
import socket
import time

from novum.sandbox.channel import parcel
from novum.sandbox.job import WORK, Ended, Job, Tier
from novum.sandbox.launch import launch
from novum.sandbox.limits.cgroup import make_cgroup
from novum.sandbox.supervise import Launched, Supervisor
from novum.sandbox.tiers import bubblewrap
from novum.sandbox.visible.visible_paths import drops_user, fresh_user

_OWN = 2  # bubblewrap outside, and as process 1 inside


def run_in_bubblewrap(job: Job, tool: bubblewrap.Tool) -> Ended:
    """Run `job` at tier A with one particular bubblewrap."""
    user = fresh_user() if drops_user() else None
    plan = {"work": WORK, "passes_directory": tool.passes_directory, "user": user}
    near, far = socket.socketpair()
    started = time.monotonic()
    descriptors: list[int] = []
    group = make_cgroup(job.limits, _OWN)
    try:
        with near, far:
            inside = bubblewrap.Inside(user, counted=group is not None)
            words = bubblewrap.command(job, tool, far.fileno(), descriptors, inside)
            process = launch(words, [far.fileno(), *descriptors], {}, user)
            far.close()
            launched = Launched(process, near, parcel(job, plan), started, own=_OWN, tier=Tier.NAMESPACES, group=group)
            return Supervisor(job, launched).run()
    finally:
        if group is not None:
            group.remove()
        for fd in descriptors:
            os.close(fd)
