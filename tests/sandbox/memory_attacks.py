"""Attacks that hold memory where no limit of a process sees it, and that use CPU time which nobody adds up."""

import ctypes
import mmap
import os
import signal
import socket
import time

from attack_tools import C, Stopped

_DONTNEED = 4
_PIECE = 8 << 20


def shared_memory_given_back(t):
    """Its pages stay, and are nobody's."""
    whole = mmap.mmap(-1, 2 * t["memory_bytes"])
    return _fill(whole, len(whole))


def shared_memory_of_a_sleeper(t):
    """A child keeps the mapping and touches nothing, the parent writes and unmaps."""
    C.mmap.restype = ctypes.c_void_p
    size = 2 * t["memory_bytes"]
    at = C.mmap(None, ctypes.c_size_t(size), 3, 0x21, -1, ctypes.c_long(0))
    if at == ctypes.c_void_p(-1).value:
        raise Stopped
    sleeper = os.fork()
    if sleeper == 0:
        time.sleep(60)
    for offset in range(0, size, _PIECE):
        ctypes.memset(at + offset, 1, _PIECE)
        C.munmap(ctypes.c_void_p(at + offset), ctypes.c_size_t(_PIECE))
    time.sleep(0.3)
    os.kill(sleeper, signal.SIGKILL)
    return f"{size} bytes"


def zero_device(t):
    """Mapped shared, it is memory without a file."""
    fd = os.open("/dev/zero", os.O_RDWR)
    return _fill(mmap.mmap(fd, 2 * t["memory_bytes"]), 2 * t["memory_bytes"])


def _fill(whole, size):
    block = b"x" * _PIECE
    for offset in range(0, size, _PIECE):
        whole[offset : offset + _PIECE] = block
        whole.madvise(_DONTNEED, offset, _PIECE)
    time.sleep(0.3)  # where only a watchdog looks, it looks now
    return f"{size} bytes"


def socket_buffers(t):
    """What waits between two ends of a socket belongs to neither."""
    held, bytes_held, children = [], 0, []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            bytes_held = 0
            while bytes_held < t["memory_bytes"] // 3:
                try:
                    ends = socket.socketpair()
                except OSError:
                    break
                held.append(ends)
                for end in ends:
                    end.setblocking(False)
                    try:
                        while True:
                            bytes_held += end.send(b"x" * 65536)
                    except BlockingIOError:
                        continue
            time.sleep(0.5)
            os._exit(0 if bytes_held >= t["memory_bytes"] // 3 else 1)
        children.append(child)
    if sum(os.waitpid(child, 0)[1] for child in children):
        raise Stopped
    return f"{2 * t['memory_bytes']} bytes"


def tcp_buffers(t):
    """In a network of its own a socket takes megabytes."""
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    held, waiting = [], 0
    while waiting < 2 * t["memory_bytes"] and len(held) < 400:
        near = socket.create_connection(server.getsockname())
        held += [near, server.accept()[0]]
        near.setblocking(False)
        try:
            while True:
                waiting += near.send(b"x" * (1 << 20))
        except BlockingIOError:
            continue
    if waiting < 2 * t["memory_bytes"]:
        raise Stopped
    time.sleep(0.3)
    return f"{waiting} bytes"
