"""Canonical JSON (RFC 8785) of dataclasses, as text: the bytes of `canonical`, written in one pass.

Every event of a record is written when it is appended, and written again when the record is checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

from novum.text.canonical_json import EXACT, canonical, ecmascript

Writer = Callable[[Any], str]


def canonical_text(value: Any) -> str:
    """The canonical JSON of dataclasses, enums, mappings, sequences and scalars.

    Raises ValueError for NaN and infinities, for whole numbers beyond 2^53 and for texts that are no Unicode.
    """
    text = _text(value)
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"not representable in canonical JSON: {error}") from error
    return text


def _text(value: Any) -> str:
    return (_WRITERS.get(type(value)) or _made(type(value)))(value)


def _texts(values: Iterable[Any]) -> list[str]:
    """`_text` of each: met with every value there is, so that one call for each of them would be felt."""
    return [(_WRITERS.get(type(value)) or _made(type(value)))(value) for value in values]


def _whole(value: int) -> str:
    return str(value) if -EXACT < value < EXACT else canonical(value).decode()


@lru_cache(maxsize=1024)
def _real(value: float) -> str:
    if 1e-4 <= value < EXACT or -EXACT < value <= -1e-4:
        text = repr(value)
        return text[:-2] if text.endswith(".0") else text
    if value == 0.0:
        return "0"
    return ecmascript(value) if abs(value) < 1e-4 else canonical(value).decode()


def _mapping(value: Mapping[Any, Any]) -> str:
    if len(value) < 2:
        return next((f"{{{encode_basestring(str(name))}:{_text(item)}}}" for name, item in value.items()), "{}")
    items = value if set(map(type, value)) == {str} else {str(key): item for key, item in value.items()}
    names = sorted(items)
    if not "".join(names).isascii():
        names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    written = zip(names, _texts(map(items.__getitem__, names)), strict=True)
    return "{" + ",".join([f"{encode_basestring(name)}:{item}" for name, item in written]) + "}"


def _items(value: list[Any] | tuple[Any, ...]) -> str:
    return f"[{','.join(_texts(value))}]"


_WRITERS: dict[type, Writer] = {
    str: encode_basestring,
    int: _whole,
    float: _real,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _mapping,
    list: _items,
    tuple: _items,
}


def _made(kind: type) -> Writer:
    """The writer of a type, made when a value of it is first met."""
    writer: Writer
    if dataclasses.is_dataclass(kind):
        writer = _of_fields(sorted(field.name for field in dataclasses.fields(kind)))
    elif issubclass(kind, Enum):
        writer = lambda value: _text(value.value)  # noqa: E731 one writer a kind, made here
    else:
        base = next((one for one in (dict, str, float, list, tuple) if issubclass(kind, one)), None)
        writer = _WRITERS[base] if base else (lambda value: canonical(value).decode())
    _WRITERS[kind] = writer
    return writer


def _of_fields(names: list[str]) -> Writer:
    frame = "{" + ",".join(f'"{name}":%s' for name in names) + "}"
    if len(names) < 2:
        return lambda value: frame % tuple(_texts(getattr(value, name) for name in names))
    values = attrgetter(*names)
    return lambda value: frame % tuple(_texts(values(value)))
