"""No sandbox at all: limits against accidents, for programs that are trusted like one's own.

Nothing reaches this but its own name. Covered: wall and CPU time, memory, processes, disk, daemons, a scrubbed
environment. Not covered: everything that a program does on purpose. It reads and writes what its user can, uses the
network, and may end the lab.
"""

from __future__ import annotations

from pathlib import Path

from novum.sandbox.job import Ended, Job, Tier
from novum.sandbox.tiers.unnamespaced import Inside, run_outside


def run_without_sandbox(job: Job, base: Path | None = None) -> Ended:
    """Run `job` with plain limits, in a private directory below `base`."""
    return run_outside(job, Inside(Tier.NONE, drops=False, walls=None), base)
