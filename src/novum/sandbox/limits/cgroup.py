"""Control groups (cgroup v2): the kernel's own limits and accounts for all processes of a job together.

Covered, where the memory controller can be had: memory of every kind (shared mappings that nobody has mapped any more,
pipes, sockets, page tables), processes and threads, CPU time, and an end that nothing escapes. A group is made below
this process's own group or the nearest one above it that this user may write to. Where a group holds this program
alone, it moves into a group beside the jobs': the kernel gives controllers to groups without processes only.
"""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from novum.sandbox.job import Bounds, SandboxUnavailable
from novum.sandbox.process_tree import descendants

_LAB, _JOB = "novum-lab-", "novum-job-"
_CONTROLLERS = ("memory", "pids")
_THREADS = 32
_REMOVE_SECONDS = 1.0
_KINDS = ("anon", "shmem", "kernel", "sock")
_KERNEL_PARTS = ("kernel_stack", "pagetables", "percpu", "slab")  # before Linux 5.18 there is no sum of them
_ADVICE = "run Novum in a group of its own: systemd-run --user --scope -p Delegate=yes novum ..."
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class CgroupSupport:
    """Below which directory groups for jobs are made; `parent` is "" where they cannot be, and `reason` says why."""

    parent: str
    reason: str = ""


class Cgroup:
    """The group of one job. `remove` it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def limit(self, bounds: Bounds, own: int) -> None:
        """Set hard limits. Files in memory count as memory, so their room is added; the watchdog tells them apart."""
        self._write("memory.max", bounds.memory_bytes + 2 * bounds.disk_bytes)
        self._write("pids.max", bounds.processes + own + _THREADS)
        with suppress(OSError):  # a kernel without swap has no such file
            self._write("memory.swap.max", 0)

    def add(self, pids: list[int]) -> None:
        """Move processes in; what they start from then on is in it too. Raises OSError."""
        for pid in pids:
            with suppress(ProcessLookupError):
                self._write("cgroup.procs", pid)

    def memory_bytes(self) -> int:
        """Bytes in use, page cache of files on disks left out; files in memory count. Raises OSError."""
        found = _numbers_of((self.path / "memory.stat").read_text())
        kernel = found["kernel"] if "kernel" in found else sum(found.get(part, 0) for part in _KERNEL_PARTS)
        return kernel + sum(found.get(kind, 0) for kind in _KINDS if kind != "kernel")

    def cpu_seconds(self) -> float:
        """CPU seconds of everything that was ever in it. Raises OSError."""
        return _numbers_of((self.path / "cpu.stat").read_text())["usage_usec"] / 1e6

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of it for want of memory."""
        try:
            return _numbers_of((self.path / "memory.events").read_text()).get("oom_kill", 0) > 0
        except OSError:
            return False

    def remove(self) -> None:
        """End what is left in it, and remove it."""
        with suppress(OSError):
            self._write("cgroup.kill", 1)
        give_up = time.monotonic() + _REMOVE_SECONDS
        while time.monotonic() < give_up:
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.001)
            else:
                return

    def _write(self, name: str, value: int) -> None:
        fd = os.open(self.path / name, os.O_WRONLY)
        try:
            os.write(fd, str(value).encode())
        finally:
            os.close(fd)


def make_cgroup(bounds: Bounds, own: int, support: CgroupSupport | None = None) -> Cgroup | None:
    """Make the group of one job with its limits set; None where there is no memory controller to be had.

    `own`: how many of its processes are the sandbox's own. Raises SandboxUnavailable when groups worked before.
    """
    found = cgroup_support() if support is None else support
    if not found.parent:
        return None
    group = Cgroup(Path(found.parent) / f"{_JOB}{os.getpid()}-{next(_numbers)}")
    try:
        group.path.mkdir()
        group.limit(bounds, own)
    except OSError as error:
        group.remove()
        raise SandboxUnavailable(f"the control group {group.path} could not be made: {error.strerror}") from error
    return group


@cache
def cgroup_support() -> CgroupSupport:
    """Find out by making a group, once for each process."""
    own = own_directory(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    if own is None:
        return CgroupSupport("", "cgroup v2 is not mounted")
    mount, base = own
    if base.name.startswith(_LAB):
        base = base.parent
    for at in (base, *base.parents):
        if _gives_controllers(at, may_move=at == base):
            _remove_stale(at)
            return CgroupSupport(str(at))
        if at == mount:
            break
    return CgroupSupport("", f"no memory controller for groups of one's own at {base}: {_ADVICE}")


def own_directory(mounts: str, groups: str) -> tuple[Path, Path] | None:
    """Where cgroup v2 is mounted, and the directory there of this process; from the two files of /proc/self."""
    path = next((line[3:] for line in groups.splitlines() if line.startswith("0::")), None)
    for line in mounts.splitlines():
        fields, _, kind = line.partition(" - ")
        if path is not None and kind.startswith("cgroup2 "):
            root, mount = fields.split()[3:5]
            inside = os.path.relpath(path, root) if root != "/" else path.lstrip("/")
            return Path(mount), Path(mount) / ("" if inside.startswith("..") else inside)
    return None


def _gives_controllers(at: Path, may_move: bool) -> bool:
    """Whether a group made in `at` can bound memory and processes; turns the controllers on where that is ours."""
    if not os.access(at, os.W_OK) or not os.access(at / "cgroup.procs", os.W_OK):
        return False
    if _has_controllers(at):
        return True
    if not may_move:
        return False
    with suppress(OSError):
        _turn_on(at)
        return _has_controllers(at)
    with suppress(OSError):
        if _make_room(at):
            _turn_on(at)
    return _has_controllers(at)


def _has_controllers(at: Path) -> bool:
    trial = at / f"{_JOB}{os.getpid()}-try"
    try:
        trial.mkdir()
    except OSError:
        return False
    found = all((trial / f"{name}.max").exists() for name in _CONTROLLERS)
    with suppress(OSError):
        trial.rmdir()
    return found


def _turn_on(at: Path) -> None:
    (at / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _CONTROLLERS))


def _make_room(at: Path) -> bool:
    """Move this program out of `at` into a group below it, where nobody else is in `at`."""
    pids = [int(word) for word in (at / "cgroup.procs").read_text().split()]
    if not pids or not set(pids) <= {os.getpid(), *descendants(os.getpid())}:
        return False
    lab = Cgroup(at / f"{_LAB}{os.getpid()}")
    lab.path.mkdir(exist_ok=True)
    lab.add(pids)
    return True


def _remove_stale(at: Path) -> None:
    """Groups whose owner was killed are empty, and can be removed."""
    for path in at.glob(f"{_JOB}*-*"):
        owner = path.name.removeprefix(_JOB).partition("-")[0]
        if not Path(f"/proc/{owner}").exists():
            with suppress(OSError):
                path.rmdir()


def _numbers_of(text: str) -> dict[str, int]:
    """Numbers by name, as the kernel lists them: a line each."""
    return {name: int(value) for name, _, value in (line.partition(" ") for line in text.splitlines())}
