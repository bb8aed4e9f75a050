"""Values of a TOML file and where they stand: the lines that give a key one scalar."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import LARGEST, Declared
from novum.source.declared.enumerations import members

_LARGEST_FILE = 1_000_000
_KEY = r"""[ \t]*((?:[\w-]+|"[^"\\\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"\\\n]*"|'[^'\n]*'))*)[ \t]*"""
_TABLE = re.compile(rf"[ \t]*\[{_KEY}\][ \t]*(?:#.*)?")
_OTHER_TABLE = re.compile(r"[ \t]*\[\[")
_LINE = re.compile(rf"""{_KEY}=[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[-+.\w]+)[ \t]*(?:#[ \t]*(.*))?""")
_PART = re.compile(r"""[\w-]+|"[^"\\\n]*"|'[^'\n]*'""")
_QUOTES = re.compile(r'"""|' + "'''")
_MOST_DOC = 300


def toml_values(text: str) -> Iterator[Declared]:
    """The scalars of a file that stand on a line of their own; nothing where it is not valid TOML."""
    if len(text) > _LARGEST_FILE:
        return
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return
    table: tuple[str, ...] | None = ()
    at, inside = 0, False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r").removeprefix("\ufeff")
        begins = at + len(raw) - len(raw.removeprefix("\ufeff"))
        quotes = len(_QUOTES.findall(line))
        if not inside and _OTHER_TABLE.match(line):
            table = None
        elif not inside and (header := _TABLE.fullmatch(line)):
            table = _parts(header[1])
        elif not inside and not quotes and table is not None and (found := _LINE.fullmatch(line)):
            path = (*table, *_parts(found[1]))
            value = _value(data, path)
            if value is not None:
                doc = (found[3] or "").strip()[:_MOST_DOC]
                span = (begins + found.start(2), begins + found.end(2))
                yield Declared(".".join(path), path[-1], value, *span, "key", (), doc, number)
        inside ^= quotes % 2 == 1
        at += len(raw) + 1


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(key))


def _value(data: object, path: tuple[str, ...]) -> Scalar | None:
    """The scalar at a path of what was parsed."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    if isinstance(data, str):
        return data if members(path[-1]) else None
    if isinstance(data, int | float):
        return data if abs(data) <= LARGEST else None
    return None
