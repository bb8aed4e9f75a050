"""Becoming, for a while, the parent of orphaned grandchildren: only a parent learns what a process used.

It is a property of the whole process; threads that run jobs side by side share it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37
_C = ctypes.CDLL(None)
_C.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_lock = threading.Lock()
_users = 0
_before = 0


@contextmanager
def adopting() -> Iterator[None]:
    """Adopt orphans within the block; afterwards all is as before."""
    global _users, _before
    with _lock:
        if _users == 0:
            was = ctypes.c_int(0)
            _C.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.addressof(was), 0, 0, 0)
            _before = was.value
            _C.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _C.prctl(_PR_SET_CHILD_SUBREAPER, _before, 0, 0, 0)
