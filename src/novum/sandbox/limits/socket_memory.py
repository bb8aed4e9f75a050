"""Memory of the kernel that a candidate can fill and no limit of a process counts: what waits in its sockets.

At tier A its network namespace tells how many sockets there are, those under way between processes included, and how
much waits in TCP. At tier B only descriptors are seen. A socket of another kind is charged what it may hold, after a
number that honest programs have.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_HELD_BYTES = 256 << 10  # net.core.wmem_max is 208 KiB where nobody changed it
_FREE_SOCKETS = 32
_FEW_DESCRIPTORS = 64
_OVERHEAD = 2  # a packet takes up to twice its content


def namespace_bytes(pid: int) -> int:
    """Bytes to charge for the sockets of the network namespace of `pid`; 0 when it is gone."""
    try:
        counts = _counts(Path(f"/proc/{pid}/net/sockstat").read_text())
    except (OSError, ValueError, IndexError):
        return 0
    tcp = counts.get("TCP", 0)
    waiting = sum(map(_waiting, (f"/proc/{pid}/net/tcp", f"/proc/{pid}/net/tcp6"))) if tcp else 0
    return max(0, counts.get("sockets", 0) - tcp - _FREE_SOCKETS) * _HELD_BYTES + waiting * _OVERHEAD


def _counts(sockstat: str) -> dict[str, int]:
    """Number of sockets by kind; "sockets" for all of them."""
    lines = (line.split() for line in sockstat.splitlines())
    return {words[0].rstrip(":"): int(words[2]) for words in lines if len(words) > 2}


def _waiting(table: str) -> int:
    total = 0
    with suppress(OSError, ValueError, IndexError):
        for line in Path(table).read_text().splitlines()[1:]:
            sent, _, received = line.split()[4].partition(":")
            total += int(sent, 16) + int(received, 16)
    return total


def descriptor_bytes(pids: list[int]) -> int:
    """Bytes to charge for the sockets that `pids` hold, each counted once."""
    if sum(map(_descriptors, pids)) <= _FEW_DESCRIPTORS:
        return 0
    found = set()
    for pid in pids:
        with suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 (many times a second)
                with suppress(OSError):
                    found.add(os.readlink(f"/proc/{pid}/fd/{number}"))  # noqa: PTH115
    return max(0, sum(name.startswith("socket:") for name in found) - _FREE_SOCKETS) * _HELD_BYTES


def _descriptors(pid: int) -> int:
    """From Linux 6.2 on the folder's size tells."""
    with suppress(OSError):
        return os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH116, PTH208
    return 0
