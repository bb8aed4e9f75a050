"""JSON objects in text that people and language models write: anywhere in it, between drafts, prose and code fences.

What is tolerated changes no meaning: line breaks and other control characters inside texts, a comma before a closing
bracket, backslashes that escape nothing, Python's True, False and None, numbers such as +1 and .5. An object that is
not complete is no object. One pass over the text: the time is linear in its length, whatever it holds.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 20
"""Objects with the wanted property that are kept, the last ones."""

MOST_DEPTH, MOST_VALUES = 100, 200_000
"""Of one object: a deeper or larger one is broken."""

_SPACE = re.compile(r"[\s\ufeff]*+")
_OPENING = re.compile(r"""\{(?=[\s\ufeff]*+(?:["'}]|\Z|[A-Za-z_]\w*+[\s\ufeff]*+:))""")
"""A brace after which an object may begin; one without quotes is none, and is told so."""

_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NUMBER = re.compile(r"[+-]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?+\d++)?+")
_WORD = re.compile(r"[+-]?+[A-Za-z]++")
_NO_ESCAPE = re.compile(r'(\\u[0-9a-fA-F]{4}|\\["\\/bfnrt])|\\')
_WORDS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
    "NaN": float("nan"), "Infinity": float("inf"), "+Infinity": float("inf"), "-Infinity": float("-inf"),
}  # fmt: skip
_LONGEST_INTEGER = 400
"""Digits; a longer one is read as a float, which is infinite."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a text holds. objects: those with the wanted property, in the order in which they end, the last ones.

    others: complete objects without it. problem: what is wrong with an object that is not complete, in words.
    """

    objects: tuple[dict[str, Any], ...]
    others: int
    problem: str


def find_objects(text: str, name: str) -> Found:
    """The complete objects in a text that have a property of this name, inner ones included."""
    scan = _Scan(text, name)
    scan.run()
    return Found(tuple(scan.found), scan.others, scan.problem())


class _BrokenError(Exception):
    """What stands at a place is not what must stand there."""

    def __init__(self, at: int, words: str) -> None:
        super().__init__(words)
        self.at = at


@dataclass(slots=True)
class _Frame:
    """An object or a list that is not complete. key: whose value comes next; comma: whether one must come first."""

    value: dict[str, Any] | list[Any]
    key: str | None = None
    comma: bool = False

    @property
    def closes(self) -> str:
        return "}" if isinstance(self.value, dict) else "]"

    def add(self, value: Any) -> None:
        if isinstance(self.value, dict):
            assert self.key is not None
            self.value[self.key], self.key = value, None
        else:
            self.value.append(value)
        self.comma = True

    @property
    def place(self) -> str:
        """Where in it the next token stands, in words."""
        if isinstance(self.value, list):
            return "in a list"
        if self.key is not None:
            return f"after {_quoted(self.key)}"
        return f"after the value of {_quoted(next(reversed(self.value)))}" if self.value else "at its beginning"


@dataclass
class _Scan:
    """One pass. What is broken is dropped, and read again from within its last text, where another object may begin."""

    text: str
    name: str
    found: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    others: int = 0
    _stack: list[_Frame] = field(default_factory=list)
    _start: int = 0
    _last_text: int = -1
    _values: int = 0
    _broken: tuple[bool, int, int, str] | None = None

    def run(self) -> None:
        at = 0
        while True:
            if not self._stack and (at := self._opened(at)) < 0:
                return
            try:
                at = self._token(_SPACE.match(self.text, at).end())  # type: ignore[union-attr]
            except _BrokenError as error:
                at = self._dropped(error)

    def problem(self) -> str:
        if self._broken is None or (self.others and not self._broken[0]):
            return ""  # a brace of prose, where there are objects
        _, start, at, words = self._broken
        line = self.text.count("\n", 0, start) + 1
        near = self.text[at : at + 20].partition("\n")[0]
        found = f"{_quoted(near)} stands there" if near.strip() else "a line ends there"
        return f"the JSON object that begins in line {line} is broken: {words}" + (
            f", but {found}" if at < len(self.text) else ", but the answer ends there"
        )

    def _opened(self, at: int) -> int:
        """The place after the next opening brace, -1 where there is none."""
        if (match := _OPENING.search(self.text, at)) is None:
            return -1
        self._start, self._last_text, self._values = match.start(), -1, 0
        self._stack.append(_Frame({}))
        return self._start + 1

    def _token(self, at: int) -> int:
        """Take what stands at a place; returns the place after it. Raises _BrokenError."""
        frame, char = self._stack[-1], self.text[at : at + 1]
        if char == frame.closes and frame.key is None:
            self._closed()
            return at + 1
        if frame.comma:
            if char != ",":
                raise _BrokenError(at, f"{frame.place} a comma or {frame.closes} must stand")
            frame.comma = False
            return at + 1
        if isinstance(frame.value, dict) and frame.key is None:
            return self._key(frame, at)
        return self._value(frame, char, at)

    def _key(self, frame: _Frame, at: int) -> int:
        if not (match := _TEXT.match(self.text, at)):
            raise _BrokenError(at, f"{frame.place} a name in double quotes must stand")
        self._last_text = at
        end = _SPACE.match(self.text, match.end()).end()  # type: ignore[union-attr]
        if self.text[end : end + 1] != ":":
            raise _BrokenError(end, f"after the name {_quoted(match[0][1:-1])} a colon must stand")
        frame.key = _read(match[0])
        return end + 1

    def _value(self, frame: _Frame, char: str, at: int) -> int:
        self._values += 1
        if self._values > MOST_VALUES:
            raise _BrokenError(at, f"at most {MOST_VALUES} values may stand in it")
        if char in ("{", "["):
            if len(self._stack) >= MOST_DEPTH:
                raise _BrokenError(at, f"at most {MOST_DEPTH} brackets may be open at a time")
            self._stack.append(_Frame({} if char == "{" else []))
            return at + 1
        if match := _TEXT.match(self.text, at):
            self._last_text = at
            frame.add(_read(match[0]))
        elif match := _NUMBER.match(self.text, at):
            frame.add(_number(match[0]))
        elif (match := _WORD.match(self.text, at)) and match[0] in _WORDS:
            frame.add(_WORDS[match[0]])
        elif char == '"':
            raise _BrokenError(len(self.text), f"{frame.place} a text begins that must end in a double quote")
        else:
            raise _BrokenError(at, f"{frame.place} a value must stand")
        return match.end()

    def _closed(self) -> None:
        value = self._stack.pop().value
        if isinstance(value, dict):
            if self.name in value:
                self.found.append(value)
            else:
                self.others += 1
        if self._stack:
            self._stack[-1].add(value)

    def _dropped(self, error: _BrokenError) -> int:
        """Forget what is open; returns the place to go on from."""
        telling = self.text.find(self.name, self._start, error.at + len(self.name)) >= 0
        if self._broken is None or telling >= self._broken[0]:
            self._broken = (telling, self._start, error.at, str(error))
        self._stack.clear()
        if self._last_text >= 0:
            return self._last_text + 1
        return max(error.at, self._start + 1)


def _read(token: str) -> str:
    """The text of a token in double quotes."""
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return str(json.loads(_NO_ESCAPE.sub(lambda found: found[1] or "\\\\", token), strict=False))


def _number(token: str) -> int | float:
    digits = token.lstrip("+-")
    return int(token) if digits.isdigit() and len(digits) <= _LONGEST_INTEGER else float(token)


def _quoted(text: str) -> str:
    return f"`{' '.join(text.split())[:40]}`"
