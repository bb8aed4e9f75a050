"""Walls around a forked child of a warm server, which runs on in the same interpreter behind them.

Covered at tier A as with bubblewrap: new namespaces of every kind, a root made of what Python needs, read-only, no
network, size-limited tmpfs; at tier B Landlock and the strict filter. The child inherits the server's memory, so the
server must hold no secret. The server, and not the child, tells whether the walls stood before foreign code ran.

At tier A the child's own process only waits for process 1 of the new PID namespace, which runs on and takes all others
with it when it ends. Root needs no user namespace, and gives up its identity once the mounts are made.
"""

# ruff: noqa: PTH103, PTH110, PTH112, PTH120, PTH211 (a child copies each page that it touches, and pathlib is many)
from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from novum.sandbox import landlock_apply
from novum.sandbox.job import MOST_FILES, WORK, SandboxUnavailable, Tier
from novum.sandbox.seccomp_filters import assemble
from novum.sandbox.tiers.landlock import landlock_rules
from novum.sandbox.visible.system_files import STREAMS, USER, etc_files
from novum.sandbox.visible.visible_paths import (
    drops_user,
    interpreter_directories,
    system_directories,
    system_files,
    system_links,
    without_nested,
)

DISK_BYTES = 256 << 20
OWN_TASKS = 32
_STAGE = "/sys"  # it exists everywhere, and nothing of it is shown inside
_NEW = 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000  # mount, pid, net, ipc, uts, cgroup
_NEW_USER = 0x10000000
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _NOEXEC, _DETACH = 4096, 16384, 1 << 18, 2, 4, 8, 2
_PDEATHSIG, _DUMPABLE, _DROP_BOUNDING, _AMBIENT, _CLEAR_AMBIENT = 1, 4, 24, 47, 4
_MOUNT_SETATTR, _READ_ONLY = 442, struct.pack("=QQQQ", 1 | 2, 0, 0, 0)  # MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_LAST_CAPABILITY = 63
_SET_INTERFACE_FLAGS = 0x8914
_KILL = int(signal.SIGKILL)
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")

_C = ctypes.CDLL(None, use_errno=True)
_C.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_C.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What the server works out once: the tier, what may be read, the filter."""

    tier: Tier
    shown: tuple[str, ...]
    program: bytes
    machine: str


def prepare(tier: Tier, readable: tuple[Path, ...]) -> Enclosure:
    """Work out the walls of `tier`, with `readable` shown inside. Raises SandboxUnavailable."""
    if tier is Tier.NONE:
        raise SandboxUnavailable("an enclosure without walls is none: leave out the sandbox instead")
    shown = without_nested([*interpreter_directories(), *map(str, readable)])
    if tier is Tier.LANDLOCK:
        landlock_rules(shown, None)  # says why not, where it cannot work
    return Enclosure(tier, shown, assemble(strict=tier is Tier.LANDLOCK), os.uname().machine)


def enter(enclosure: Enclosure, user: int | None, work: Path | None, confine: Callable[[], None]) -> None:
    """Put this process behind the walls. Raises OSError or SandboxUnavailable, and then nothing foreign may run.

    `user`: whom root becomes. `work`: the private directory of tier B. `confine` sets limits, once mounts are made.
    """
    if enclosure.tier is Tier.LANDLOCK:
        assert work is not None
        rules = landlock_rules(enclosure.shown, work)
        os.chdir(work)
        confine()
        _become(user)
        os.environ.update(HOME=str(work), TMPDIR=str(work), USER=USER, LOGNAME=USER)
        _forget_temporary_directory()
        landlock_apply.enter(rules, enclosure.program)
        return
    _unshare()
    _become_first_process()
    _mount_all(enclosure, (os.getuid(), os.getgid()) if user is None else (user, user))
    _bring_up_loopback()
    os.chdir(WORK)
    os.environ.update(HOME=WORK, TMPDIR="/tmp", USER=USER, LOGNAME=USER)
    _forget_temporary_directory()
    confine()
    _become(user)
    if user is None:
        _drop_capabilities(enclosure.machine)
    _die_with_parent()
    landlock_apply.forbid_new_privileges()
    landlock_apply.install(enclosure.program)


def _forget_temporary_directory() -> None:
    """The server may have asked for its own before; Python remembers the answer."""
    if (module := sys.modules.get("tempfile")) is not None:
        module.tempdir = None  # type: ignore[attr-defined]


def _unshare() -> None:
    user, group = os.getuid(), os.getgid()
    _check(_C.unshare(_NEW if drops_user() else _NEW | _NEW_USER), "new namespaces")
    if not drops_user():
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(fd, text.encode())
            os.close(fd)


def _become_first_process() -> None:
    """Fork: the child, process 1 of the namespace, goes on; this process waits for it and ends in the same way."""
    alive, life = os.pipe()
    pid = os.fork()
    if pid:
        os.close(alive)
        _relay(pid, life)
    os.close(life)
    os.setsid()  # a signal to its own group must not reach the process that waits
    _die_with_parent()
    # Its parent is outside the namespace and so has no number to compare; the pipe tells whether it lives.
    if select.select([alive], [], [], 0)[0]:
        os._exit(1)
    os.close(alive)


def _relay(pid: int, life: int) -> NoReturn:
    for fd in {0, 1, 2, 3} - {life}:
        with suppress(OSError):
            os.close(fd)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        if -code not in (_KILL, int(signal.SIGSTOP)):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 1)


def _mount_all(enclosure: Enclosure, ids: tuple[int, int]) -> None:
    os.umask(0o022)  # what root makes here, the candidate reads
    _mount(b"none", "/", b"", _RECURSIVE | _PRIVATE)
    _mount(b"tmpfs", _STAGE, b"tmpfs", _NOSUID | _NODEV, b"mode=755,size=1m")
    for target, link in system_links():
        os.symlink(target, _STAGE + link)
    options = f"mode=777,size={DISK_BYTES},nr_inodes={MOST_FILES}".encode()
    for folder in (WORK, "/tmp", "/dev/shm"):
        os.makedirs(_STAGE + folder)
        _mount(b"tmpfs", _STAGE + folder, b"tmpfs", _NOSUID | _NODEV, options)
    for path in (*system_directories(), *system_files(), *enclosure.shown, *_DEVICES):
        _show(path)
    os.symlink("/proc/self/fd", f"{_STAGE}/dev/fd")
    for number, name in enumerate(STREAMS):
        os.symlink(f"/proc/self/fd/{number}", f"{_STAGE}/dev/{name}")
    os.makedirs(f"{_STAGE}/etc", exist_ok=True)
    for path, content in etc_files(*ids, WORK).items():
        _write_new(_STAGE + path, content)
    os.makedirs(f"{_STAGE}/proc")
    _mount(b"proc", f"{_STAGE}/proc", b"proc", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(_STAGE)
    _check(_C.syscall(ctypes.c_long(_PIVOT_ROOT[enclosure.machine]), b".", b"."), "pivot_root")
    _check(_C.umount2(b".", _DETACH), "leaving the old root")
    os.chdir("/")
    _set_read_only("/", 0)


def _write_new(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    os.write(fd, content)
    os.close(fd)


def _bring_up_loopback() -> None:
    """Without it no program reaches its own servers on 127.0.0.1."""
    end = _C.socket(2, 2, 0)  # AF_INET, SOCK_DGRAM: Python's own costs a child more copied pages
    _check(end, "a socket")
    request = ctypes.create_string_buffer(struct.pack("=16sH22x", b"lo", 0x41))  # IFF_UP, IFF_RUNNING
    result = _C.ioctl(end, ctypes.c_ulong(_SET_INTERFACE_FLAGS), request)
    os.close(end)
    _check(result, "bringing up the loopback interface")


def _show(path: str) -> None:
    target = _STAGE + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    else:
        return
    _mount(os.fsencode(path), target, b"", _BIND | _RECURSIVE)
    _set_read_only(target, _AT_RECURSIVE)


def _set_read_only(path: str, flags: int) -> None:
    here = ctypes.c_int(_AT_FDCWD)
    number, size = ctypes.c_long(_MOUNT_SETATTR), ctypes.c_size_t(len(_READ_ONLY))
    _check(_C.syscall(number, here, os.fsencode(path), ctypes.c_uint(flags), _READ_ONLY, size), f"read-only {path}")


def _mount(source: bytes, target: str, kind: bytes, flags: int, data: bytes = b"") -> None:
    _check(_C.mount(source, os.fsencode(target), kind or None, flags, data or None), f"mount on {target}")


def _become(user: int | None) -> None:
    if user is not None:
        with suppress(OSError):
            os.fchown(1, user, user)  # the pipe for output and errors, or it could not open it anew by name
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _C.prctl(_DUMPABLE, 1, 0, 0, 0)  # or its own files in /proc would belong to root


def _drop_capabilities(machine: str) -> None:
    for number in range(_LAST_CAPABILITY + 1):
        if _C.prctl(_DROP_BOUNDING, number, 0, 0, 0):
            break
    _C.prctl(_AMBIENT, _CLEAR_AMBIENT, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of the interface, this process
    _check(_C.syscall(ctypes.c_long(_CAPSET[machine]), head, (ctypes.c_uint32 * 6)()), "dropping capabilities")


def _die_with_parent() -> None:
    _C.prctl(_PDEATHSIG, _KILL, 0, 0, 0)


def _check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
