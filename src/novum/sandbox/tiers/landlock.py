"""Tier B, where user namespaces are denied: Landlock, a stricter seccomp filter, limits, a keeper and a watch.

Covered: files outside (all but their names and sizes), sockets of every kind, signals and tracing (kernel 6.12),
daemons (the keeper adopts and kills them), memory, processes, disk. Not covered: what `gaps` names. The work directory
is a private one outside; programs use relative paths.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from novum.sandbox import landlock_apply
from novum.sandbox.gpus.gpu_access import GpuAccess
from novum.sandbox.job import Ended, Job, SandboxUnavailable, Tier
from novum.sandbox.seccomp_filters import UnknownArchitecture, assemble
from novum.sandbox.tiers.unnamespaced import Inside, run_outside
from novum.sandbox.visible.shown_packages import package_directories, package_paths, without
from novum.sandbox.visible.visible_paths import (
    drops_user,
    interpreter_directories,
    open_to_others,
    public_tables,
    system_directories,
    system_files,
    without_nested,
)

# Mapped to be written, /dev/zero is memory that no limit of a process counts.
_READABLE = ("/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")
_ALWAYS = {
    "stat_outside": "which files exist outside, their sizes, owners and times",
    "chdir_outside": "standing in outside directories, without reading or writing there",
}
_BEFORE = {  # closed by this version of Landlock
    6: {
        "signal_parent": "signals to this user's processes",
        "kill_sibling": "killing this user's processes",
        "pidfd_sibling": "signals to this user's processes by descriptor",
    },
    3: {"truncate_outside": "emptying files that this user may write"},
}


def gaps() -> tuple[str, ...]:
    """Name what this tier leaves open on this kernel, each as "attack: words"."""
    found = landlock_apply.version()
    more = {} if drops_user() else {k: v for at, kinds in _BEFORE.items() if found < at for k, v in kinds.items()}
    return tuple(f"{name}: {words}" for name, words in {**_ALWAYS, **more}.items())


def run_in_landlock(job: Job, base: Path | None = None) -> Ended:
    """Run `job` at tier B in a private directory below `base`. Raises SandboxUnavailable when no wall stands."""
    try:
        programs = {one: assemble(strict=True, counted=one, gpus=job.gpus is not None) for one in (False, True)}
    except UnknownArchitecture as error:
        raise SandboxUnavailable(str(error)) from error
    shown = without_nested([*interpreter_directories(), *map(str, job.readable)])
    landlock_rules(shown, None, job.packages)

    def walls(work: Path | None, counted: bool) -> tuple[list[tuple[str, str]], bytes]:
        return [*landlock_rules(shown, work, job.packages), *gpu_rules(job.gpus)], programs[counted]

    inside = Inside(Tier.LANDLOCK, drops_user(), walls)
    return run_outside(job, inside, base)


def gpu_rules(gpus: GpuAccess | None) -> list[tuple[str, str]]:
    """What a job may open beside all else for its GPUs."""
    if gpus is None:
        return []
    return [
        *((path, landlock_apply.DEVICE) for path in gpus.devices),
        *((path, landlock_apply.READ) for path in (*gpus.readable, *gpus.tables)),
    ]


@lru_cache(maxsize=64)
def _parts(roots: tuple[str, ...], packages: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may be read, and the folders that may be listed only, where not all packages are shown."""
    if packages is None:
        return roots, ()
    hidden = package_directories()
    parts = [without(root, hidden) for root in roots]
    read = tuple(path for found, _ in parts for path in found)
    return (*read, *package_paths(packages)), tuple(path for _, above in parts for path in above)


def landlock_rules(
    shown: tuple[str, ...], work: Path | None, packages: tuple[str, ...] | None = None
) -> list[tuple[str, str]]:
    """List what may be read and written. packages: modules whose packages are shown, None for all.

    Raises SandboxUnavailable when that cannot work here.
    """
    if landlock_apply.version() < 1:
        raise SandboxUnavailable("this kernel has no Landlock (5.13 or newer, enabled at boot by lsm=landlock,...)")
    for path in shown:
        if drops_user() and Path(path).exists() and not open_to_others(path):
            raise SandboxUnavailable(
                f"candidates of root run as another user, who cannot read {path}: "
                "use a Python outside of root's home, or run Novum as an ordinary user"
            )
    reading, listing = _parts((*system_directories(), *shown), packages)
    reading = (*reading, *system_files(), *public_tables(), *_READABLE)
    return [
        *((path, landlock_apply.READ) for path in reading),
        *((path, landlock_apply.LIST) for path in ("/dev", *listing)),
        *((path, landlock_apply.READ_WRITE) for path in _DEVICES),
        *([] if work is None else [(str(work), landlock_apply.WORK)]),
    ]
