"""Running a job in namespaces of its own, by one particular bubblewrap."""

from __future__ import annotations

import os
import socket
import time

from novum.sandbox.channel import parcel
from novum.sandbox.job import WORK, Ended, Job, Tier
from novum.sandbox.launch import launch
from novum.sandbox.supervise import Launched, Supervisor
from novum.sandbox.tiers import bubblewrap
from novum.sandbox.visible_paths import drops_user, fresh_user


def run_in_bubblewrap(job: Job, tool: bubblewrap.Tool) -> Ended:
    """Run `job` at tier A with one particular bubblewrap."""
    user = fresh_user() if drops_user() else None
    plan = {"work": WORK, "passes_directory": tool.passes_directory, "user": user}
    near, far = socket.socketpair()
    started = time.monotonic()
    descriptors: list[int] = []
    try:
        with near, far:
            words = bubblewrap.command(job, tool, far.fileno(), descriptors, user)
            process = launch(words, [far.fileno(), *descriptors], {}, user)
            far.close()
            launched = Launched(process, near, parcel(job, plan), started, own=2, tier=Tier.NAMESPACES)
            return Supervisor(job, launched).run()
    finally:
        for fd in descriptors:
            os.close(fd)
