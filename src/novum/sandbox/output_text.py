"""What a candidate printed: bounded while it arrives, and cleaned before anybody reads it."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def clean(text: str) -> str:
    """Strip terminal escapes, control characters and lone surrogates from `text`; line ends become newlines."""
    if text.isprintable():
        return text
    plain = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in plain if char.isprintable() or char in "\n\t")


class Log:
    """Keeps the first and the last half of `kept` bytes of an output, whatever its length."""

    def __init__(self, kept: int) -> None:
        self._half = max(1, kept // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(0, room) :][-self._half :]
        self._left_out += max(0, len(data) - max(0, room) - self._half)
        if (over := len(self._tail) - self._half) > 0:
            self._left_out += over
            del self._tail[:over]

    def text(self) -> str:
        """Return what was kept, cleaned, with a remark where something was left out."""
        head, tail = (clean(bytes(part).decode(errors="replace")) for part in (self._head, self._tail))
        return f"{head}\n[... {self._left_out} bytes left out ...]\n{tail}" if self._left_out else head + tail
