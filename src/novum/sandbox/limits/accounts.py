"""How memory, processes and CPU time of jobs are counted here, and what that misses: words for `novum doctor`."""

from __future__ import annotations

from novum.sandbox.job import Tier
from novum.sandbox.limits.cgroup import cgroup_support
from novum.sandbox.limits.cpu_counter import open_counter


def how_counted(tier: Tier) -> tuple[str, ...]:
    """A line for memory and one for CPU time, as jobs at `tier` are counted."""
    group = cgroup_support()
    if group.parent:
        place = f"counted by the kernel, in a control group below {group.parent}"
        return f"memory: {place}; its peak is looked at every 50 ms", f"CPU time: {place}", f"processes: {place}"
    sockets = "8 MiB in sockets" if tier is Tier.NAMESPACES else "sockets under way between processes"
    missed = f"not counted are up to 64 MiB in pipes, {sockets} and peaks of less than 50 ms"
    summed = f"memory: added up over processes every 50 ms ({group.reason})"
    return (
        f"{summed}; shared memory without a file is refused; {missed}",
        _cpu_time(),
        "processes: counted every 50 ms, beside the kernel's limit for each user",
    )


def _cpu_time() -> str:
    if (counter := open_counter(0)) is not None:
        counter.close()
        return "CPU time: counted by the kernel (perf events)"
    return (
        "CPU time: added up every 50 ms; children that live shorter and that nobody waits for are missed, so a "
        "guardrail on cpu_seconds can be cheated: sysctl kernel.perf_event_paranoid=2, or a control group"
    )
