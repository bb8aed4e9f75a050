"""Five trials in a row, each behind walls of its own: nothing that one leaves on a system file reaches the next."""

import errno
import mmap
import os
from dataclasses import replace
from pathlib import Path

import pytest
from targets import SMALL, SOURCES

from novum.sandbox import Tier

BITS = (1, 0, 1, 1, 0)
SIZE = 64 * mmap.PAGESIZE

# A channel: what the sender does for a 1, and how the receiver tells, with a file that is only to be read.
WRITERS = {
    "advice": "os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)",
    "page out": "mmap.mmap(fd, 0, prot=mmap.PROT_READ).madvise(21)",
    "cold": "mmap.mmap(fd, 0, prot=mmap.PROT_READ).madvise(20)",
    "lock": "fcntl.flock(fd, fcntl.LOCK_EX); stay()",
    "record lock": "fcntl.lockf(fd, fcntl.LOCK_SH); stay()",
    "lease": "fcntl.fcntl(fd, 1024, fcntl.F_RDLCK); stay()",
    "write hint": "fcntl.fcntl(fd, 1036, (3).to_bytes(8, 'little'))",
}
READERS = {
    "without waiting": "told = os.preadv(fd, [bytearray(1)], 5 * 4096, 8)",
    "page table": "told = resident(fd)",
    "statistics": "told = statistics(fd)",
    "lock": "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB); told = 'free'",
    "record lock": "told = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0))",
    "lease": "told = fcntl.fcntl(fd, 1025)",
    "write hint": "told = fcntl.fcntl(fd, 1035, bytes(8))",
}
COMMON = """
import ctypes, fcntl, mmap, os, struct, sys
from attack_tools import C, numbered, syscall
def stay():
    if os.fork() == 0:
        os.setsid()
        import time
        time.sleep(5)
        os._exit(0)
def resident(fd):
    C.mmap.restype = ctypes.c_void_p
    size = os.fstat(fd).st_size
    pages = ctypes.create_string_buffer(size // 4096)
    at = ctypes.c_void_p(C.mmap(None, ctypes.c_size_t(size), 1, 2, fd, ctypes.c_long(0)))
    if C.mincore(at, ctypes.c_size_t(size), pages):
        raise OSError(ctypes.get_errno(), 'mincore')
    return sum(byte & 1 for byte in pages.raw)
def statistics(fd):
    span, found = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    syscall(451, fd, ctypes.addressof(span), ctypes.addressof(found), 0)
    return found[0]
fd = os.open(sys.argv[1], os.O_RDONLY)
told = None
"""  # fmt: skip


@pytest.fixture
def page():
    """A file on a disk, in the page cache as a whole."""
    folder = Path("/var/tmp") / f"novum-page-{os.getpid()}"
    folder.mkdir(mode=0o755)
    path = folder / "data"
    path.write_bytes(os.urandom(SIZE))
    path.chmod(0o644)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    warm(path)
    yield path
    path.unlink()
    folder.rmdir()


def warm(path: Path) -> None:
    path.read_bytes()


def resident(path: Path) -> int:
    """Pages of `path` in memory, seen from outside the walls."""
    scope = {}
    with path.open("rb") as file:
        exec(COMMON.partition("fd = os.open")[0], scope)
        return scope["resident"](file.fileno())


def ask(play, page, act: str) -> str:
    """One trial that does `act` with the open file `fd`: what it was told, or the error's number."""
    source = f"{COMMON}\ntry:\n    {act}\nexcept OSError as error:\n    told = error.errno\nprint(told)"
    words = f"import sys; sys.argv = ['', {str(page)!r}]; exec(open('it.py').read())"
    files = {"it.py": source.encode(), "attack_tools.py": SOURCES["attack_tools.py"]}
    ended = play(words, replace(SMALL, processes=8), files=files, readable=(page.parent,))
    assert ended.kind is None, ended.stderr
    return ended.stdout.strip()


def transmit(play, page, write: str, read: str) -> list[str]:
    """What the receiver is told after each of the bits."""
    told = []
    for bit in BITS:
        warm(page)
        ask(play, page, write if bit else "pass")
        told.append(ask(play, page, read))
    return told


@pytest.mark.parametrize("write", WRITERS)
def test_no_way_of_writing_to_the_next_trial_has_an_effect(play, tier, page, write):
    """Seen from outside, where every way of reading is open; and by the ways of reading from within."""
    if tier is Tier.NONE:
        pytest.skip("nothing is in the way there")
    readers = [name for name in READERS if name == write] or ["without waiting", "page table"]
    for read in readers:
        told = transmit(play, page, WRITERS[write], READERS[read])
        assert len(set(told)) == 1, (read, told)
        assert resident(page) == SIZE // mmap.PAGESIZE


@pytest.mark.parametrize("read", ["without waiting", "page table", "statistics"])
def test_no_way_of_reading_tells_what_is_in_memory(play, tier, page, read):
    """Whoever may write, as the lab's own processes do: the bits are set from outside."""
    if tier is Tier.NONE:
        pytest.skip("nothing is in the way there")
    told = []
    for bit in BITS:
        with page.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED if bit else os.POSIX_FADV_WILLNEED)
        told.append(ask(play, page, READERS[read]))
    assert set(told) <= {str(errno.ENOSYS), str(errno.EOPNOTSUPP)}
    assert len(set(told)) == 1, told


def test_without_walls_the_page_cache_does_transmit(play, tier, page):
    if tier is not Tier.NONE:
        pytest.skip("there are walls")
    told = transmit(play, page, WRITERS["advice"], READERS["page table"])
    assert [int(pages) == 0 for pages in told] == [bool(bit) for bit in BITS]
