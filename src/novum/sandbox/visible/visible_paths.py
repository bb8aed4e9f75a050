"""What of the outside a candidate may read: the interpreter, its libraries, and what the job names.

Covered: the system's programs and libraries (/usr), sys.prefix, sys.base_prefix and the site-packages of
this process. Nothing of /etc but the linker's cache and the links of Debian's alternatives (at tier B the tables of
hosts, services and protocols too), no home directory, no password file.
"""

from __future__ import annotations

import itertools
import os
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from novum.sandbox.job import SandboxUnavailable

_SYSTEM = ("/usr",)  # as a whole: every mount costs a tenth of a millisecond
_LINKED = ("/bin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache",)
_ETC_DIRECTORIES = ("/etc/alternatives",)  # links, by which Debian's programs and libraries find each other
_PUBLIC_TABLES = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/protocols", "/etc/services", "/etc/host.conf")
_TOO_WIDE = frozenset({"/", "/home", "/root", "/etc", "/var", "/tmp", "/opt", "/srv", "/mnt"})
NOBODY = 65534
_FIRST_USER, _SPAN = 1_900_000_000, 1 << 22
_numbers = itertools.count()


@cache
def system_directories() -> tuple[str, ...]:
    """Directories of programs and libraries that exist here, links left out."""
    wanted = (*_SYSTEM, *_LINKED, *_ETC_DIRECTORIES)
    return tuple(path for path in wanted if Path(path).is_dir() and not Path(path).is_symlink())


@cache
def system_links() -> tuple[tuple[str, str], ...]:
    """Links of the root directory such as /lib -> usr/lib, as (target, link)."""
    return tuple((str(Path(path).readlink()), path) for path in _LINKED if Path(path).is_symlink())


@cache
def system_files() -> tuple[str, ...]:
    """The few files of /etc that programs need to start."""
    return tuple(path for path in _ETC if Path(path).exists())


@cache
def public_tables() -> tuple[str, ...]:
    """The machine's tables of hosts, services and protocols, for a tier that cannot give a candidate its own."""
    return tuple(path for path in _PUBLIC_TABLES if Path(path).exists())


@cache
def interpreter_directories() -> tuple[str, ...]:
    """Where this interpreter and its packages live, without what the system's directories hold already.

    Raises SandboxUnavailable when that would show the candidate a home or a whole system.
    """
    wanted = [sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    home = str(Path("~").expanduser())
    for path in without_nested(wanted):
        if os.path.realpath(path) in _TOO_WIDE | {home}:
            raise SandboxUnavailable(
                f"this Python lives in {path} itself, and to show it to a candidate would show everything there: "
                "make a virtual environment (python -m venv .venv) and run Novum from it"
            )
    return without_nested(path for path in wanted if Path(path).is_dir())


def without_nested(paths: Iterable[str], known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return `paths` without repetitions and without what lies in another of them or in a system directory."""
    kept: list[str] = []
    roots = list(system_directories() if known is None else known)
    for path in sorted(set(paths), key=len):
        if not any(path == root or path.startswith(root.rstrip("/") + "/") for root in (*roots, *kept)):
            kept.append(path)
    return tuple(kept)


@cache
def open_to_others(path: str) -> bool:
    """Whether a user who owns nothing can reach `path` and read it."""
    at = Path(path).resolve()
    mode = at.stat().st_mode
    if not mode & 0o004 or (at.is_dir() and not mode & 0o001):
        return False
    return all(parent.stat().st_mode & 0o001 for parent in at.parents)


def drops_user() -> bool:
    """Whether candidates run under another user id: root is not held by the kernel's limits."""
    return os.geteuid() == 0


def fresh_user() -> int:
    """Choose a user id that nobody else has, so that the kernel counts one candidate's processes alone.

    In a container that maps few user ids it is the conventional nobody.
    """
    wanted = _FIRST_USER + os.getpid() % _SPAN * 8 + next(_numbers) % 8
    with Path("/proc/self/uid_map").open() as spans:
        for line in spans:
            inside, _, length = map(int, line.split())
            if inside <= wanted < inside + length:
                return wanted
    return NOBODY
