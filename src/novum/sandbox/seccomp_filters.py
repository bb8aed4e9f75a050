"""Seccomp filters, assembled by hand: which system calls a candidate may not make.

A filter allows what it does not name, for numerical libraries use most of the kernel's interface. Covered: memory that
no limit counts, new namespaces, other processes, keys, mounts, clocks, tracing, kernel modules, foreign machine words
(a wrong architecture or the x32 interface is killed). The strict filter is for the tier without namespaces: no sockets,
no changes to the modes, owners, times and attributes of files, nor to the priority and limits of other processes. Not
covered: bugs in the calls that stay allowed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from functools import cache

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Name: number on x86-64 and on aarch64; -1 where the architecture has no such call.
_DENIED = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280), "unshare": (272, 97),
    "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "personality": (135, 92), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "swapon": (167, 224), "swapoff": (168, 225), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "clock_settime": (227, 112), "settimeofday": (164, 170), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "reboot": (169, 142), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syslog": (103, 116), "lookup_dcookie": (212, 18), "fanotify_init": (300, 262), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, -1), "ioperm": (173, -1), "modify_ldt": (154, -1),
    "uselib": (134, -1), "vhangup": (153, 58), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "nfsservctl": (180, 42),
}  # fmt: skip
_STRICT = {
    "socket": (41, 198), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54), "utime": (132, -1),
    "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469), "inotify_init": (253, -1),
    "inotify_init1": (294, 26),
}  # fmt: skip
# Calls that change another process of the same user: the argument that names it must be 0, oneself.
_OWN_ONLY = {
    "setpriority": ((141, 140), 1), "prlimit64": ((302, 261), 0), "sched_setaffinity": ((203, 122), 0),
    "sched_setscheduler": ((144, 119), 0), "sched_setparam": ((142, 118), 0), "sched_setattr": ((314, 274), 0),
    "ioprio_set": ((251, 30), 1),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_FAMILIES = (1, 2, 10)  # unix, inet, inet6: vsock and netlink reach past a network namespace
_IOCTLS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal
_FILE_IOCTLS = (0x40086602, 0x401C5820)  # FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR


class UnknownArchitecture(Exception):
    """There is no table of system calls for this machine."""


@cache
def assemble(strict: bool = False, machine: str | None = None) -> bytes:
    """Return the filter as the kernel takes it, for `machine` (this one). Raises UnknownArchitecture."""
    machine = machine or os.uname().machine
    if machine not in _AUDIT:
        raise UnknownArchitecture(f"no seccomp filter for {machine}; there is one for {' and '.join(_AUDIT)}")
    column = list(_AUDIT).index(machine)
    denied = {**_DENIED, **(_STRICT if strict else {})}
    code = [_statement(_LOAD, _ARCHITECTURE), *_unless_equal(_AUDIT[machine], [_statement(_RETURN, _KILL)])]
    code.append(_statement(_LOAD, _NUMBER))
    if machine == "x86_64":
        code += _when(_JUMP_AT_LEAST, _X32, [_statement(_RETURN, _KILL)])
    for number in sorted(pair[column] for pair in denied.values() if pair[column] >= 0):
        code += _when(_JUMP_EQUAL, number, [_refuse(_EPERM)])
    code += _when(_JUMP_EQUAL, _CLONE3[column], [_refuse(_ENOSYS)])  # its flags are in memory, out of a filter's reach
    code += _when(_JUMP_EQUAL, _CLONE[column], _no_namespaces())
    code += _when(_JUMP_EQUAL, _IOCTL[column], _no_ioctls((*_IOCTLS, *(_FILE_IOCTLS if strict else ()))))
    if strict:
        for pair, argument in _OWN_ONLY.values():
            if pair[column] >= 0:
                code += _when(_JUMP_EQUAL, pair[column], _own_process(argument))
    else:
        code += _when(_JUMP_EQUAL, _SOCKET[column], _only_families())
    return b"".join([*code, _statement(_RETURN, _ALLOW)])


def denied_names(strict: bool = False) -> tuple[str, ...]:
    """Names of the calls that are denied whatever their arguments, for documents and tests."""
    return tuple(sorted({**_DENIED, **(_STRICT if strict else {})}))


def numbers(name: str) -> tuple[int, int]:
    """System call `name` on x86-64 and on aarch64."""
    return {**_DENIED, **_STRICT}[name]


def _no_namespaces() -> list[bytes]:
    return [
        _statement(_LOAD, _ARGUMENTS),
        *_when(_JUMP_ANY_BIT, _NEW_NAMESPACES, [_refuse(_EPERM)]),
        _statement(_RETURN, _ALLOW),
    ]


def _no_ioctls(commands: Iterable[int]) -> list[bytes]:
    checks = [part for command in commands for part in _when(_JUMP_EQUAL, command, [_refuse(_EPERM)])]
    return [_statement(_LOAD, _ARGUMENTS + 8), *checks, _statement(_RETURN, _ALLOW)]


def _own_process(argument: int) -> list[bytes]:
    load = _statement(_LOAD, _ARGUMENTS + 8 * argument)
    return [load, *_when(_JUMP_EQUAL, 0, [_statement(_RETURN, _ALLOW)]), _refuse(_EPERM)]


def _only_families() -> list[bytes]:
    allowed = [part for family in _FAMILIES for part in _when(_JUMP_EQUAL, family, [_statement(_RETURN, _ALLOW)])]
    return [_statement(_LOAD, _ARGUMENTS), *allowed, _refuse(_EAFNOSUPPORT)]


def _statement(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _refuse(errno: int) -> bytes:
    return _statement(_RETURN, _ERRNO | errno)


def _when(jump: int, value: int, then: list[bytes]) -> list[bytes]:
    return [struct.pack("=HBBI", jump, 0, len(then), value), *then]


def _unless_equal(value: int, then: list[bytes]) -> list[bytes]:
    return [struct.pack("=HBBI", _JUMP_EQUAL, len(then), 0, value), *then]
