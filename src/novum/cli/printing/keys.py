"""Keys of a terminal, read one by one while something else is drawn on it."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.2


class Keys:
    """Calls `pressed` with each key, on a thread of its own; nothing happens where standard input is no terminal.

    The terminal gets back what it was on `stop`. Ctrl-C stays a signal.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed, self._end = pressed, threading.Event()
        self._before: list[Any] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read keys from now on."""
        try:
            import termios
            import tty

            if not sys.stdin.isatty() or os.getpgrp() != os.tcgetpgrp(sys.stdin.fileno()):
                return
            self._before = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())
        except (ImportError, OSError, ValueError):
            return
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read no more, and leave the terminal as it was."""
        self._end.set()
        if self._thread:
            self._thread.join()
        if self._before is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        file = sys.stdin.fileno()
        while not self._end.is_set():
            if select.select([file], [], [], POLL_SECONDS)[0]:
                data = os.read(file, 1)
                if not data:
                    return
                self._pressed(data.decode(errors="replace"))
