"""Landlock and seccomp from within: the process that calls `enter`, and all that it starts, stay behind these walls.

Sent inside with child_init, and used by forked children of a warm server; it imports ctypes and nothing else. Landlock
of every version is handled: what a kernel does not know is left out, and `version` tells which it is.
"""

from __future__ import annotations

import ctypes
import os

READ, READ_WRITE, WORK, LIST, DEVICE = "read", "read and write", "work", "list", "device"

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_BELOW_PATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _MAKE_CHAR, _MAKE_BLOCK = 1, 2, 4, 8, 1 << 6, 1 << 11
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_DIRECTORY = 0o040000

_C = ctypes.CDLL(None, use_errno=True)
_C.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_C.syscall.restype = ctypes.c_long


def version() -> int:
    """Version of Landlock's interface here; 0 where there is none."""
    return max(0, int(_C.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def enter(rules: list[tuple[str, str]], program: bytes) -> None:
    """Allow `rules` (path, kind of access) and nothing else, then install the filter `program`. Raises OSError."""
    if rules:
        _landlock([*rules, ("/proc/self", READ)])
    else:
        forbid_new_privileges()
    install(program)


def forbid_new_privileges() -> None:
    """From now on no exec raises privileges."""
    _check(_C.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")


def install(program: bytes) -> None:
    """Install a seccomp filter for this process and its future children."""
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a short, padding, a pointer.
    head = (ctypes.c_uint64 * 2)(len(program) // 8, ctypes.addressof(code))
    _check(_C.prctl(_SECCOMP, _FILTER, ctypes.addressof(head), 0, 0), "seccomp")


def _landlock(rules: list[tuple[str, str]]) -> None:
    found = version()
    if found < 1:
        raise OSError(38, "this kernel has no Landlock")
    known = (1 << (13, 14, 15, 15)[found - 1]) - 1 if found < 5 else (1 << 16) - 1
    # Rights on files; TCP bind and connect; scopes: abstract sockets and signals.
    attributes = (ctypes.c_uint64 * 3)(known, 3 if found >= 4 else 0, 3 if found >= 6 else 0)
    size = 8 if found < 4 else 16 if found < 6 else 24
    ruleset = _check(_C.syscall(ctypes.c_long(_CREATE), attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)), "rules")
    for path, kind in rules:
        _allow(ruleset, path, kind, known)
    forbid_new_privileges()
    _check(_C.syscall(ctypes.c_long(_RESTRICT), ctypes.c_int(ruleset), ctypes.c_uint32(0)), "Landlock")
    os.close(ruleset)


def _allow(ruleset: int, path: str, kind: str, known: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    rights = {
        READ: _EXECUTE | _READ_FILE | _READ_DIR,
        LIST: _READ_DIR,
        READ_WRITE: _READ_FILE | _WRITE_FILE | _TRUNCATE,
        DEVICE: _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEVICE,
        WORK: known & ~(_MAKE_CHAR | _MAKE_BLOCK),
    }[kind]
    if os.fstat(fd).st_mode & 0o170000 != _DIRECTORY:
        rights &= _FILE_RIGHTS
    # struct landlock_path_beneath_attr is packed.
    rule = ctypes.create_string_buffer((rights & known).to_bytes(8, "little") + fd.to_bytes(4, "little"), 12)
    _check(
        _C.syscall(ctypes.c_long(_ADD), ctypes.c_int(ruleset), ctypes.c_int(_BELOW_PATH), rule, ctypes.c_uint32(0)),
        path,
    )
    os.close(fd)


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return int(result)
