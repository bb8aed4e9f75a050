"""Run one job in a sandbox of a chosen tier. Synchronous, and safe to call from a forked worker's main thread."""

from __future__ import annotations

from novum.sandbox.job import Ended, Job, SandboxUnavailable, Tier
from novum.sandbox.probe import bubblewrap_tool
from novum.sandbox.tiers.landlock import run_in_landlock
from novum.sandbox.tiers.namespaced import run_in_bubblewrap


def run(job: Job, tier: Tier) -> Ended:
    """Run `job` and collect its artefacts. Raises SandboxUnavailable when no sandbox of `tier` can be entered."""
    if tier is Tier.NAMESPACES:
        return run_in_bubblewrap(job, bubblewrap_tool())
    if tier is Tier.LANDLOCK:
        return run_in_landlock(job)
    raise SandboxUnavailable(
        "this would run without any sandbox: only run_without_sandbox() does that, and never by accident"
    )
