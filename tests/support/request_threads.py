"""The threads in which a lab's requests to models wait, and that it leaves none behind."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_SECONDS = 60.0
"""For a thread that is still loading a library on a busy machine, which nothing can interrupt."""


def waiting() -> set[threading.Thread]:
    """Those alive now."""
    return {one for one in threading.enumerate() if one.name.startswith("novum-language")}


@contextmanager
def none_left() -> Iterator[None]:
    """Whatever is begun within ends; what an earlier test of this process left is no matter of this one."""
    before = waiting()
    yield
    until = time.monotonic() + WAIT_SECONDS
    while (left := waiting() - before) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left, f"requests that outlived their lab: {left}"
