"""What an agent prints, told while it runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

from novum.agents.token_meter import Scrubber
from novum.researchers.language.untrusted_text import clean, without_secrets

TICK_SECONDS = 0.5
LINES, WIDTH = 12, 200
"""Of what came within a tick the last lines are told, each with its first characters."""

_LONGEST = 4 * WIDTH


class Printed:
    """Tells what comes, line by line and harmless, within its block.

    It is told by a thread of its own: a terminal that is held up holds up neither the agent nor who minds its limits.
    """

    def __init__(self, key: str, tell: Callable[[str], None]) -> None:
        self._scrubber = Scrubber(key)
        self._tell = tell
        self._rest = b""
        self._lines: deque[bytes] = deque(maxlen=LINES)
        self._left_out = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Printed:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(2 * TICK_SECONDS)
        if not self._thread.is_alive():
            with self._lock:
                self._take([self._rest + self._scrubber.end()])
            self._told()

    def hear(self, data: bytes) -> None:
        """Take what came. Returns at once."""
        with self._lock:
            *lines, rest = (self._rest + self._scrubber.feed(data)).replace(b"\r", b"\n").split(b"\n")
            if len(rest) > _LONGEST:
                lines, rest = [*lines, rest], b""
            self._take(lines)
            self._rest = rest

    def _take(self, lines: list[bytes]) -> None:
        lines = [line for line in lines if line.strip()]
        self._left_out += max(0, len(self._lines) + len(lines) - LINES)
        self._lines.extend(lines)

    def _watch(self) -> None:
        while not self._over.wait(TICK_SECONDS):
            self._told()

    def _told(self) -> None:
        with self._lock:
            lines, left_out = list(self._lines), self._left_out
            self._lines.clear()
            self._left_out = 0
        if left_out:
            self._tell(f"… {left_out:,} more lines")
        for line in lines:
            text = without_secrets(clean(line[:_LONGEST].decode(errors="replace"))).rstrip()
            self._tell(text if len(text) <= WIDTH else text[: WIDTH - 1] + "…")
