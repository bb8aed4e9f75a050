"""Values of a JSON file and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import LARGEST, Declared
from novum.source.declared.enumerations import members
from novum.text.bounded_json import JsonBounds, load_json

_BOUNDS = JsonBounds(size=1 << 20, values=20_000, containers=5_000)
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:,]|[-+.\w]+', re.DOTALL)
_INT = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def json_values(text: str) -> Iterator[Declared]:
    """The scalars under the keys of objects, lists left out; nothing where the text is not valid JSON."""
    try:
        load_json(text.removeprefix("\ufeff"), _BOUNDS)
    except ValueError:
        return
    found: dict[str, Declared | None] = {}
    keys: list[str | None] = []  # one for each open object or list; None in a list
    expects_key, key = False, ""
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            keys.append(key if word == "{" else None)
            expects_key, key = word == "{", ""
        elif word in "}]":
            keys.pop()
        elif word == ",":
            expects_key = bool(keys) and keys[-1] is not None
        elif word == ":":
            continue
        elif expects_key:
            expects_key, key = False, str(load_json(word))
        elif keys and None not in keys:
            path = [*(one for one in keys[1:] if one is not None), key]
            found[".".join(path)] = _declared(text, path, token)  # of equal keys, the last one counts
    yield from (one for one in found.values() if one is not None)


def _declared(text: str, path: list[str], token: re.Match[str]) -> Declared | None:
    value = _value(token[0], path[-1])
    if value is None or not path[-1]:
        return None
    line = text.count("\n", 0, token.start()) + 1
    return Declared(".".join(path), path[-1], value, token.start(), token.end(), "key", line=line)


def _value(word: str, name: str) -> Scalar | None:
    if word in ("true", "false"):
        return word == "true"
    if word.startswith('"'):
        return str(load_json(word)) if members(name) else None
    if _NUMBER.fullmatch(word):
        number = int(word) if _INT.fullmatch(word) else float(word)
        return number if abs(number) <= LARGEST else None
    return None
