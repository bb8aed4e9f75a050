"""`novum.log`: a training script says its numbers, a line of JSON for each call. Needs nothing but Python.

The file: NOVUM_LOG names it ("~" is the home directory), else it is novum.jsonl in the working directory. The format:
one JSON object per line, in UTF-8; a key for each name, a number for each value, nan and infinities as the texts "nan",
"inf" and "-inf"; lines are only appended. Whoever has no Novum in their environment can write it themselves.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLE, USUAL = "NOVUM_LOG", "novum.jsonl"
_DEEPEST = 8
_file = ""
_warned: set[str] = set()


def log(values: Mapping[str, object] | None = None, /, **named: object) -> None:
    """Append numbers to the log: `novum.log(loss=0.3, step=7)`, or `novum.log({"val/loss": 0.3}, step=7)`.

    Whatever float() takes is a number: scalars of numpy, tensors of one element. Keys of mappings in mappings are
    joined by dots. It never raises: what is no number is left out, and said once on standard error.
    """
    try:
        row = {key: number for key, value in _pairs({**(values or {}), **named}, "", 0)
               if (number := _number(key, value)) is not None}  # fmt: skip
        if row:
            _append(json.dumps(row) + "\n")
    except Exception as error:  # a training run of days does not end because of a line in a log
        _warn("", f"nothing was written: {type(error).__name__}: {error}")


def _pairs(values: Mapping[str, object], above: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _pairs(value, f"{above}{key}.", depth + 1)
        else:
            yield f"{above}{key}", value


def _number(key: str, value: object) -> int | float | str | None:
    """A number as JSON holds it; None, with a warning, for what is none."""
    try:
        item = getattr(value, "item", None)  # of arrays and tensors with one element, which float() warns of
        plain: Any = item() if callable(item) else value
        if isinstance(plain, int) and not isinstance(plain, bool):
            return plain
        number = float(plain)
    except Exception as error:  # anybody's __float__
        _warn(key, f"{key!r} is no number and left out: {type(error).__name__}: {error}")
        return None
    return number if math.isfinite(number) else str(number)


def _append(line: str) -> None:
    global _file
    if not _file:  # once, so that a script may change its directory
        _file = os.path.abspath(os.path.expanduser(os.environ.get(VARIABLE) or USUAL))  # noqa: PTH100, PTH111
    place = os.open(_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        os.write(place, line.encode())  # in one piece: several processes may write
    finally:
        os.close(place)


def _warn(about: str, words: str) -> None:
    """Once for each key."""
    if about not in _warned:
        _warned.add(about)
        print(f"novum.log: {words[:300]}", file=sys.stderr, flush=True)
