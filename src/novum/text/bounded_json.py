"""JSON from outside, held to bounds before it is read: a few bytes of it can take many in memory (`{}` takes 24 times).

What is counted is counted in one pass, without building anything, and no further than to the bound.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_SMALL = 1 << 16
"""Bytes below which nothing has to be counted: whatever stands there, it takes little."""

_TOKEN = re.compile(rb'(")[^"\\]*+(?:\\.[^"\\]*+)*+"|([\[{]++)|([\]}]++)|([,:]++)', re.DOTALL)
_OPENS, _CLOSES, _PARTS = 2, 3, 4


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
    containers = parts = depth = 0
    for token in _TOKEN.finditer(data.encode(errors="replace") if isinstance(data, str) else data):
        kind, size = token.lastindex, token.end() - token.start()
        if kind == _PARTS:
            parts += size
        elif kind == _CLOSES:
            depth -= size
        elif kind == _OPENS:
            containers, depth = containers + size, depth + size
        if containers > bounds.containers:
            raise JsonTooLargeError(f"it holds more than {bounds.containers} objects and lists")
        if containers + parts > bounds.values:
            raise JsonTooLargeError(f"it holds more than {bounds.values} values")
        if depth > bounds.depth:
            raise JsonTooLargeError(f"its brackets are nested more than {bounds.depth} deep")
