"""What is read of a model's replies on their way: the tokens that the provider counts, and a key that must not pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novum.agents.agent_task import Usage
from novum.text.bounded_json import JsonBounds, load_json

MARK = b"[key]"  # something: what stands around a key must not become one
_MOST = 8 << 20
_LIKELY = 1e9
_BOUNDS = JsonBounds(size=_MOST, values=200_000, containers=100_000)
_INPUT = ("input_tokens", "prompt_tokens", "promptTokenCount", "prompt_eval_count")
_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")
_OUTPUT = ("output_tokens", "completion_tokens", "candidatesTokenCount", "eval_count")
_WORTH_READING = (b"usage", b"eval_count")


class Meter:
    """Counts the tokens of one reply: a JSON object, or a stream of events or lines, of which each tells the sum."""

    def __init__(self, content_type: str) -> None:
        self._whole = "json" in content_type and "ndjson" not in content_type
        self._rest = bytearray()
        self._given = True
        self.usage = Usage()

    def feed(self, data: bytes) -> None:
        """Take a part of the reply."""
        if len(self._rest) + len(data) > _MOST:
            self._rest, self._given = bytearray(), False  # no reply to an agent is as long as this
        if not self._given:
            return
        self._rest += data
        if not self._whole and b"\n" in data:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
            for line in lines:
                self._read(line)

    def end(self) -> Usage:
        """The tokens, when all of it has come."""
        self._read(bytes(self._rest))
        self._rest = bytearray()
        return self.usage

    def _read(self, text: bytes) -> None:
        text = text.strip().removeprefix(b"data:")
        if not any(word in text for word in _WORTH_READING):
            return
        try:
            value = load_json(text, _BOUNDS)
        except ValueError:
            return
        for one in (value, *_inner(value)):
            self._note(one)

    def _note(self, value: Any) -> None:
        if not isinstance(value, dict):
            return
        for told in (value, value.get("usage"), value.get("usageMetadata")):
            if isinstance(told, dict):
                taken = _first(told, _INPUT) + sum(_count(told, name) for name in _CACHED)
                self.usage = Usage(
                    max(self.usage.input_tokens, taken), max(self.usage.output_tokens, _first(told, _OUTPUT))
                )


def _inner(value: Any) -> tuple[Any, ...]:
    return (value.get("message"), value.get("response")) if isinstance(value, dict) else ()


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> int:
    return next((count for name in names if (count := _count(told, name))), 0)


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LIKELY else 0


class Scrubber:
    """Puts a mark in the place of every key in a stream of bytes, wherever that is cut into parts."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        """What can be passed on by now: all but an end that may be the beginning of the key."""
        if not self._key:
            return data
        data = (self._kept + data).replace(self._key, MARK)
        longest = min(len(self._key) - 1, len(data))
        held = next((size for size in range(longest, 0, -1) if data.endswith(self._key[:size])), 0)
        self._kept = data[len(data) - held :]
        return data[: len(data) - held]

    @staticmethod
    def whole(text: str, key: str) -> str:
        """A text without the key."""
        return text.replace(key, MARK.decode()) if key else text

    def end(self) -> bytes:
        """What was held back, when nothing more comes."""
        kept, self._kept = self._kept, b""
        return kept
