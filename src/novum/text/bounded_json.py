"""JSON from outside, held to bounds before it is read: a few bytes of it can take many in memory (`{}` takes 24 times).

What is counted is counted by the regular expressions' own speed, in one pass and without building anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_SMALL = 1 << 16
"""Bytes below which nothing has to be counted: whatever stands there, it takes little."""

_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{]++|[\]}]++")


class JsonTooLargeError(ValueError):
    """A document beyond its bounds."""


@dataclass(frozen=True, slots=True)
class JsonBounds:
    """The most that a document may be. size: bytes; values: all of them; containers: objects and lists; depth: open."""

    size: int = 64 << 20
    values: int = 1_000_000
    containers: int = 250_000
    depth: int = 200


BOUNDS = JsonBounds()


def load_json(data: bytes | str, bounds: JsonBounds = BOUNDS, **how: Any) -> Any:
    """The value of a document; `how` goes to json.loads. Raises ValueError for what is none, or beyond the bounds."""
    check_json(data, bounds)
    try:
        return json.loads(data, **how)
    except RecursionError:
        raise JsonTooLargeError("its brackets are nested too deeply") from None


def check_json(data: bytes | str, bounds: JsonBounds = BOUNDS) -> None:
    """Raises JsonTooLargeError for a document beyond the bounds, whether it is JSON or not."""
    if len(data) > bounds.size:
        raise JsonTooLargeError(f"it has {len(data)} bytes, allowed are {bounds.size}")
    if len(data) <= _SMALL:
        return
    bare = _TEXT.sub(b"", data.encode(errors="replace") if isinstance(data, str) else data)
    containers = bare.count(b"{") + bare.count(b"[")
    if containers > bounds.containers:
        raise JsonTooLargeError(f"it holds {containers} objects and lists, allowed are {bounds.containers}")
    values = containers + bare.count(b",") + bare.count(b":")
    if values > bounds.values:
        raise JsonTooLargeError(f"it holds {values} values, allowed are {bounds.values}")
    depth = 0
    for run in _BRACKETS.finditer(bare):
        depth += len(run[0]) if run[0][0] in b"[{" else -len(run[0])
        if depth > bounds.depth:
            raise JsonTooLargeError(f"its brackets are nested more than {bounds.depth} deep")
