"""Seccomp filters, assembled by hand: which system calls a candidate may not make.

A filter allows what it does not name, for numerical libraries use most of the kernel's interface. Covered: memory that
no limit counts, new namespaces, other processes, keys, mounts, clocks, tracing, kernel modules, pools of the whole
machine (aio, inotify, huge pages), commits of file systems, the page cache of system files, foreign machine words (a
wrong architecture or the x32 interface is killed). The strict filter is for the tier without namespaces: no sockets, no
changes to the modes, owners, times and attributes of files, nor to the priority and limits of other processes. Not
covered: bugs in the calls that stay allowed. The tables are in seccomp_calls.py.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from novum.sandbox.seccomp_calls import ABSENT, DENIED, OWN_ONLY, STRICT, STRICT_WITH_GPUS, WITHOUT_EFFECT

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_MASK = 0x54  # BPF_ALU, BPF_AND, BPF_K
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_EPERM, _ENOMEM, _EINVAL, _ENOSYS, _ENOPROTOOPT, _EPROTONOSUPPORT = 1, 12, 22, 38, 92, 93
_EOPNOTSUPP, _EAFNOSUPPORT = 95, 97
_SUCCESS = 0

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_FAMILIES = (1, 2, 10)  # unix, inet, inet6: vsock and netlink reach past a network namespace
_PROTOCOLS = (0, 6, 17)  # the usual one, TCP, UDP: for another the kernel would load a module
_UNIX, _STREAMS, _SOCKET_KIND = 1, (1, 5), 0xF  # the rest are flags: SOCK_CLOEXEC, SOCK_NONBLOCK
_IOCTLS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal
# FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_SETVERSION, FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY,
# EXT4_IOC_MIGRATE, BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SNAP_CREATE_V2: they change files without a right to write.
_FILE_IOCTLS = (
    0x40086602, 0x401C5820, 0x40087602, 0x40806685, 0x800C6613, 0x6609, 0x5000940E, 0x50009417,
)  # fmt: skip


class UnknownArchitecture(Exception):
    """There is no table of system calls for this machine."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A call that is refused with `errno` when its argument (the low word) is one of `values` or has one of `bits`."""

    numbers: tuple[int, int]
    argument: int
    errno: int
    values: tuple[int, ...] = ()
    bits: int = 0


_REFUSALS = {
    # F_SETLEASE, F_GETLEASE, F_NOTIFY, read and write hints, delegations: what one trial leaves on, or sees of, a
    # system file of others. F_SETPIPE_SZ: memory of the kernel beside every limit.
    "fcntl": _Refusal((72, 25), 1, _EPERM, (1024, 1025, 1026, 1031, 1035, 1036, 1037, 1038, 1039, 1040)),
    # MADV_MERGEABLE (pages shared with strangers), MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE (the page cache).
    "madvise": _Refusal((28, 233), 2, _EINVAL, (12, 20, 21, 25)),
    # RWF_NOWAIT tells what is in the page cache; RWF_DONTCACHE changes it.
    "preadv2": _Refusal((327, 286), 5, _EOPNOTSUPP, bits=0x88),
    # Also RWF_DSYNC, RWF_SYNC.
    "pwritev2": _Refusal((328, 287), 5, _EOPNOTSUPP, bits=0x8E),
    # PR_SCHED_CORE (an idle sibling of each core it runs on), PR_SET_MEMORY_MERGE.
    "prctl": _Refusal((157, 167), 0, _EINVAL, (62, 67)),
    # MS_SYNC, answered with success as fsync is.
    "msync": _Refusal((26, 227), 2, _SUCCESS, bits=4),
    # RLIMIT_CORE, as in _limits_of_oneself.
    "setrlimit": _Refusal((160, 164), 0, _SUCCESS, (4,)),
    # TCP_ULP (and what has the same number elsewhere): the kernel would load a module.
    "setsockopt": _Refusal((54, 208), 2, _ENOPROTOOPT, (31,)),
}
_STRICT_REFUSALS = {
    # O_DSYNC, O_SYNC: on a disk that others use.
    "open": _Refusal((2, -1), 1, _EINVAL, bits=0x1000),
    "openat": _Refusal((257, 56), 2, _EINVAL, bits=0x1000),
}
_MMAP, _SHARED, _ANONYMOUS, _HUGE_PAGES = (9, 222), 0x01, 0x20, 0x40000
_PRLIMIT, _RLIMIT_CORE = (302, 261), 4
_OPENAT2 = (437, 437)  # its flags are in memory, out of a filter's reach


@cache
def assemble(strict: bool = False, machine: str | None = None, counted: bool = False, gpus: bool = False) -> bytes:
    """Return the filter as the kernel takes it, for `machine` (this one). Raises UnknownArchitecture.

    `counted`: a control group counts the memory of the job, so that shared memory without a file can be allowed.
    `gpus`: the job has some, whose drivers need such memory (what is pinned for a GPU) and, where the filter is strict,
    a Unix socket that they listen on.
    """
    machine = machine or os.uname().machine
    if machine not in _AUDIT:
        raise UnknownArchitecture(f"no seccomp filter for {machine}; there is one for {' and '.join(_AUDIT)}")
    column = list(_AUDIT).index(machine)
    code = [_statement(_LOAD, _ARCHITECTURE), *_unless_equal(_AUDIT[machine], [_statement(_RETURN, _KILL)])]
    code.append(_statement(_LOAD, _NUMBER))
    if machine == "x86_64":
        code += _when(_JUMP_AT_LEAST, _X32, [_statement(_RETURN, _KILL)])
    for errno, calls in _by_errno(strict, gpus).items():
        for number in sorted(pair[column] for pair in calls.values() if pair[column] >= 0):
            code += _when(_JUMP_EQUAL, number, [_refuse(errno)])
    code += _when(_JUMP_EQUAL, _CLONE[column], _no_namespaces())
    code += _when(_JUMP_EQUAL, _IOCTL[column], _no_ioctls((*_IOCTLS, *(_FILE_IOCTLS if strict else ()))))
    code += _when(_JUMP_EQUAL, _MMAP[column], _mappings(counted or gpus))
    for refusal in (_REFUSALS | (_STRICT_REFUSALS if strict else {})).values():
        if refusal.numbers[column] >= 0:
            code += _when(_JUMP_EQUAL, refusal.numbers[column], _refuse_some(refusal))
    code += _when(_JUMP_EQUAL, _PRLIMIT[column], _limits_of_oneself(strict))
    if strict:
        for pair, argument in OWN_ONLY.values():
            if pair[column] >= 0:
                code += _when(_JUMP_EQUAL, pair[column], _own_process(argument))
    if strict and gpus:
        code += _when(_JUMP_EQUAL, _SOCKET[column], _only_unix_streams())
    elif not strict:
        code += _when(_JUMP_EQUAL, _SOCKET[column], _only_families())
    return b"".join([*code, _statement(_RETURN, _ALLOW)])


def _by_errno(strict: bool, gpus: bool = False) -> Mapping[int, Mapping[str, tuple[int, int]]]:
    """Calls that are refused whatever their arguments, by what they are answered with."""
    stricter = STRICT if strict else {}
    if strict and gpus:
        stricter = {**{name: pair for name, pair in STRICT.items() if name != "socket"}, **STRICT_WITH_GPUS}
    unreadable = {"clone3": _CLONE3, **({"openat2": _OPENAT2} if strict else {})}
    return {
        _EPERM: {**DENIED, **stricter},
        _ENOSYS: {**ABSENT, **unreadable},
        _SUCCESS: WITHOUT_EFFECT,
    }


def refused_calls(strict: bool = False) -> dict[str, tuple[tuple[int, int], int]]:
    """Calls that are refused whatever their arguments: numbers on x86-64 and aarch64, and errno (0: without effect)."""
    return {name: (pair, errno) for errno, calls in _by_errno(strict).items() for name, pair in calls.items()}


def _no_namespaces() -> list[bytes]:
    return [
        _statement(_LOAD, _ARGUMENTS),
        *_when(_JUMP_ANY_BIT, _NEW_NAMESPACES, [_refuse(_EPERM)]),
        _statement(_RETURN, _ALLOW),
    ]


def _refuse_some(refusal: _Refusal) -> list[bytes]:
    checks = [part for value in refusal.values for part in _when(_JUMP_EQUAL, value, [_refuse(refusal.errno)])]
    if refusal.bits:
        checks += _when(_JUMP_ANY_BIT, refusal.bits, [_refuse(refusal.errno)])
    return [_statement(_LOAD, _ARGUMENTS + 8 * refusal.argument), *checks, _statement(_RETURN, _ALLOW)]


def _mappings(counted: bool) -> list[bytes]:
    """Huge pages come out of a pool of the whole machine, and no limit counts them.

    Pages of shared memory without a file stay when nobody has them mapped any more: no limit of a process finds them.
    """
    shared = _when(_JUMP_ANY_BIT, _SHARED, _when(_JUMP_ANY_BIT, _ANONYMOUS, [_refuse(_EPERM)]))
    return [
        _statement(_LOAD, _ARGUMENTS + 8 * 3),
        *_when(_JUMP_ANY_BIT, _HUGE_PAGES, [_refuse(_ENOMEM)]),
        *([] if counted else shared),
        _statement(_RETURN, _ALLOW),
    ]


def _no_ioctls(commands: Iterable[int]) -> list[bytes]:
    checks = [part for command in commands for part in _when(_JUMP_EQUAL, command, [_refuse(_EPERM)])]
    return [_statement(_LOAD, _ARGUMENTS + 8), *checks, _statement(_RETURN, _ALLOW)]


def _own_process(argument: int) -> list[bytes]:
    load = _statement(_LOAD, _ARGUMENTS + 8 * argument)
    return [load, *_when(_JUMP_EQUAL, 0, [_statement(_RETURN, _ALLOW)]), _refuse(_EPERM)]


def _limits_of_oneself(strict: bool) -> list[bytes]:
    """Answer a new limit on core files with success, and do not set it (limits/rlimits.py says why)."""
    high_low = [_ARGUMENTS + 16 + 4, _ARGUMENTS + 16]  # the pointer to the new limit; none when it is only asked for
    sets = [part for at in high_low for part in (_statement(_LOAD, at), *_unless_equal(0, [_refuse(_SUCCESS)]))]
    return [
        *([_statement(_LOAD, _ARGUMENTS), *_unless_equal(0, [_refuse(_EPERM)])] if strict else []),
        _statement(_LOAD, _ARGUMENTS + 8),
        *_when(_JUMP_EQUAL, _RLIMIT_CORE, [*sets, _statement(_RETURN, _ALLOW)]),
        _statement(_RETURN, _ALLOW),
    ]


def _only_families() -> list[bytes]:
    protocols = [part for one in _PROTOCOLS for part in _when(_JUMP_EQUAL, one, [_statement(_RETURN, _ALLOW)])]
    allowed = [_statement(_LOAD, _ARGUMENTS + 16), *protocols, _refuse(_EPROTONOSUPPORT)]
    families = [part for family in _FAMILIES for part in _when(_JUMP_EQUAL, family, allowed)]
    return [_statement(_LOAD, _ARGUMENTS), *families, _refuse(_EAFNOSUPPORT)]


def _only_unix_streams() -> list[bytes]:
    """SOCK_STREAM and SOCK_SEQPACKET: what is sent on them goes to nobody without a connection."""
    streams = [part for kind in _STREAMS for part in _when(_JUMP_EQUAL, kind, [_statement(_RETURN, _ALLOW)])]
    kinds = [_statement(_LOAD, _ARGUMENTS + 8), _statement(_MASK, _SOCKET_KIND), *streams, _refuse(_EPERM)]
    return [_statement(_LOAD, _ARGUMENTS), *_when(_JUMP_EQUAL, _UNIX, kinds), _refuse(_EPERM)]


def _statement(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _refuse(errno: int) -> bytes:
    return _statement(_RETURN, _ERRNO | errno)


def _when(jump: int, value: int, then: list[bytes]) -> list[bytes]:
    return [struct.pack("=HBBI", jump, 0, len(then), value), *then]


def _unless_equal(value: int, then: list[bytes]) -> list[bytes]:
    return [struct.pack("=HBBI", _JUMP_EQUAL, len(then), 0, value), *then]
