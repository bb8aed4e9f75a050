"""The kill switch: a request to stop is heard while the lab does anything at all, its controls and scorers included."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from novum.governance.mailbox import Mailbox

LOOK_SECONDS = 0.1


class Stoppable(Protocol):
    """What stops between two commits once these are set."""

    draining: bool
    halted: bool

    def take_requests(self) -> None:
        """Record what was asked."""
        ...


@contextmanager
def kill_switch(mailbox: Mailbox, lab: Stoppable) -> Iterator[None]:
    """Within: whoever leaves a request to stop ends the session within a second, its trials in flight included.

    The loop raises KeyboardInterrupt at its next safe point; the request is in the record by then, or on the way out.
    """
    over = threading.Event()
    looking = Mailbox(mailbox.directory)  # of its own: the lab's thread keeps what it has seen for itself

    def watch() -> None:
        # It only looks: requests are recorded, and answered, by the lab's own thread.
        while not over.wait(LOOK_SECONDS):
            if looking.stop_requested():
                lab.draining = lab.halted = True
                return

    watcher = threading.Thread(target=watch, name="kill-switch", daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        lab.take_requests()
        raise
    finally:
        over.set()
        watcher.join()
