"""Canonical JSON (RFC 8785) of dataclasses, as text: the bytes of `canonical`, written in one pass.

Every event of a record is written when it is appended, and written again when the record is checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

from novum.text.canonical_json import EXACT, canonical, ecmascript

Writer = Callable[[Any], str]


def canonical_text(value: Any) -> str:
    """The canonical JSON of dataclasses, enums, mappings, sequences and scalars.

    Raises ValueError for NaN and infinities, for whole numbers beyond 2^53 and for texts that are no Unicode.
    """
    return (_WRITERS.get(type(value)) or _made(type(value)))(value)


def _text(value: str) -> str:
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"not representable in canonical JSON: {error}") from error
    return encode_basestring(value)


def _whole(value: int) -> str:
    return str(value) if -EXACT < value < EXACT else canonical(value).decode()


def _real(value: float) -> str:
    size = abs(value)
    if 1e-4 <= size < EXACT or size == 0.0:
        whole = int(value)
        return str(whole) if whole == value else repr(value)
    return ecmascript(value) if size < 1e-4 else canonical(value).decode()


def _mapping(value: Mapping[Any, Any]) -> str:
    if not value:
        return "{}"
    items = {str(key): item for key, item in value.items()}
    names = sorted(items) if all(map(str.isascii, items)) else sorted(items, key=lambda name: name.encode("utf-16-be"))
    written = zip(names, _written(map(items.get, names)), strict=True)
    return "{" + ",".join([f"{_text(name)}:{item}" for name, item in written]) + "}"


def _items(value: list[Any] | tuple[Any, ...]) -> str:
    return f"[{','.join(_written(value))}]"


def _written(values: Iterable[Any]) -> list[str]:
    """`canonical_text` of each: called for every value there is, so that a call for each of them would be felt."""
    return [(_WRITERS.get(type(value)) or _made(type(value)))(value) for value in values]


_WRITERS: dict[type, Writer] = {
    str: _text,
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
        writer = lambda value: canonical_text(value.value)  # noqa: E731 one writer a kind, made here
    else:
        base = next((one for one in (dict, str, float, list, tuple) if issubclass(kind, one)), None)
        writer = _WRITERS[base] if base else (lambda value: canonical(value).decode())
    _WRITERS[kind] = writer
    return writer


def _of_fields(names: list[str]) -> Writer:
    frame = "{" + ",".join(f'"{name}":%s' for name in names) + "}"
    if len(names) < 2:
        return lambda value: frame % tuple(_written(getattr(value, name) for name in names))
    values = attrgetter(*names)
    return lambda value: frame % tuple(_written(values(value)))
