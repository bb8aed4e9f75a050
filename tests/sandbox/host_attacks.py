"""Attacks that harm the machine or reach the next trial: pools of the whole machine, commits, the page cache.

As in attacks.py: what is returned says how it worked. Each stops at proof, far below what would be felt.
"""

# ruff: noqa: PTH120, PTH123
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket

from attack_tools import C, Stopped, numbered, syscall

SYSTEM_FILE = os.__file__  # every sandbox sees it, and nobody may write it


def aio_contexts(t):
    context = ctypes.c_ulong(0)
    syscall(numbered(206, 0), 16, ctypes.addressof(context))
    syscall(numbered(207, 1), context.value)
    return "made"


def inotify_instances(t):
    os.close(syscall(numbered(294, 26), 0))
    return "made"


def inotify_on_system_files(t):
    watch = syscall(numbered(294, 26), os.O_NONBLOCK)
    C.inotify_add_watch(watch, os.fsencode(SYSTEM_FILE), 1)
    with open(SYSTEM_FILE) as file:
        file.read(1)
    return "sees others read" if os.read(watch, 4096) else None


def fanotify(t):
    os.close(syscall(numbered(300, 262), 0x200, 0))
    return "made"


def directory_notices(t):
    folder = os.open(os.path.dirname(SYSTEM_FILE), os.O_RDONLY)
    fcntl.fcntl(folder, 1026, 1)
    return "sees others read"


def leases(t):
    """Whoever opens a leased file waits for the holder."""
    with open("own", "w") as file:
        file.write("x")
    with open("own") as file:
        fcntl.fcntl(file, 1024, fcntl.F_RDLCK)
    return "holds one"


def locked_memory(t):
    page = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if C.mlock(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page))), ctypes.c_size_t(4 << 20)):
        raise Stopped
    return "4 MiB"


def huge_pages(t):
    """Beside every limit, where the machine has some; where it has none, kernel and wall answer alike."""
    C.mmap.restype = ctypes.c_void_p
    at = C.mmap(None, ctypes.c_size_t(2 << 20), 3, 0x40022, -1, ctypes.c_long(0))
    return "got one" if at not in (None, ctypes.c_void_p(-1).value) else None


def message_queues(t):
    os.close(syscall(numbered(240, 180), ctypes.addressof(ctypes.create_string_buffer(b"novum")), 0o102, 0o600, 0))
    return "made"


def queued_signals(t):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    for number in range(1000):
        if C.sigqueue(os.getpid(), int(signal.SIGRTMIN), ctypes.c_void_p(number)):
            raise Stopped
    return "1000"


def crash_handler(t):
    """At a limit of 0 the kernel starts the machine's handler for every crash."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    now = resource.getrlimit(resource.RLIMIT_CORE)
    return None if now == (1, 1) else f"{now}"


def core_scheduling(t):
    if C.prctl(62, 1, 0, 0, 0):
        raise Stopped
    return "siblings of its cores stay idle"


def memory_merging(t):
    if C.prctl(67, 1, 0, 0, 0):
        raise Stopped
    return "shares pages with strangers"


def memory_merging_by_advice(t):
    page = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.madvise(12)
    return "shares pages with strangers"


def other_protocols(t):
    for kind, protocol in ((socket.SOCK_SEQPACKET, 132), (socket.SOCK_STREAM, 262), (socket.SOCK_DGRAM, 136)):
        try:
            socket.socket(socket.AF_INET, kind, protocol).close()
        except OSError:
            continue
        return f"{protocol}"
    raise Stopped


def real_time_priority(t):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "took it"


def synchronous_files(t):
    """Each write to such a file is a commit, where the file is on a disk."""
    if t["private_init"]:
        raise Stopped  # nothing that can be written is on a disk
    os.close(os.open("slow", os.O_CREAT | os.O_WRONLY | os.O_SYNC))
    return "made"


def commits(t):
    """On a bad descriptor the kernel itself would answer with an error."""
    for number in (numbered(306, 267), numbered(74, 82), numbered(75, 83)):
        try:
            syscall(number, 9999)
        except OSError:
            return f"system call {number} reaches the kernel"
    raise Stopped


def cached_pages(t):
    """mincore: which pages of a system file are in memory."""
    with open(SYSTEM_FILE, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        pages = ctypes.create_string_buffer(1 + size // mmap.PAGESIZE)
        C.mmap.restype = ctypes.c_void_p
        at = C.mmap(None, ctypes.c_size_t(size), 1, 2, file.fileno(), ctypes.c_long(0))
        if C.mincore(ctypes.c_void_p(at), ctypes.c_size_t(size), pages):
            raise Stopped
    return "told"


def cache_statistics(t):
    with open(SYSTEM_FILE, "rb") as file:
        span, found = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
        syscall(451, file.fileno(), ctypes.addressof(span), ctypes.addressof(found), 0)
    return f"{found[0]} pages"


def read_without_waiting(t):
    with open(SYSTEM_FILE, "rb") as file:
        return f"{os.preadv(file.fileno(), [bytearray(8)], 0, 8)} bytes"


def read_without_caching(t):
    with open(SYSTEM_FILE, "rb") as file:
        return f"{os.preadv(file.fileno(), [bytearray(8)], 0, 0x80)} bytes"


def drop_from_cache(t):
    """On a bad descriptor the kernel itself would answer with an error."""
    try:
        os.posix_fadvise(9999, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return "advice reaches the kernel"
    raise Stopped


def read_ahead(t):
    try:
        syscall(numbered(187, 213), 9999, 0, 4096)
    except OSError:
        return "advice reaches the kernel"
    raise Stopped


def _advise(number):
    with open(SYSTEM_FILE, "rb") as file, mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ) as pages:
        pages.madvise(number)
    return "advised"


def page_out(t):
    return _advise(21)


def mark_cold(t):
    return _advise(20)


def collapse(t):
    page = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.write(b"x" * (8 << 20))
    page.madvise(25)
    return "collapsed"


def write_hints(t):
    """A number that the kernel keeps with the file."""
    with open("own", "w") as file:
        fcntl.fcntl(file, 1036, (2).to_bytes(8, "little"))
        return f"{fcntl.fcntl(file, 1035, bytes(8))}"


def verity(t):
    """Makes a file unchangeable for good, without a descriptor to write to it."""
    with open("own", "w") as file:
        file.write("x")
    argument = (ctypes.c_uint32 * 32)(1, 1, 4096)
    with open("own") as file:
        fcntl.ioctl(file, 0x40806685, bytes(argument))
    return "made"


def kernel_pipes(t):
    _reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 1 << 20)
    return f"{fcntl.fcntl(writing, 1032)} bytes"


def pages_in_pipes(t):
    _reading, writing = os.pipe()
    data = ctypes.create_string_buffer(4096)
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 4096)
    return f"{syscall(numbered(278, 75), writing, ctypes.addressof(vector), 1, 0)} bytes"


def file_pages_in_pipes(t):
    _reading, writing = os.pipe()
    with open(SYSTEM_FILE, "rb") as file:
        return f"{syscall(numbered(275, 76), file.fileno(), 0, writing, 0, 4096, 0)} bytes"
