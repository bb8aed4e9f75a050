"""Events to canonical JSON and back, checked against their types on the way in."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from novum.core.events.event import EVENT_TYPES, Event
from novum.core.model.errors import IntegrityError
from novum.ledger.upcast import before_estimands, upcast
from novum.text.canonical_text import canonical_text


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(EVENT_TYPES[kind])


def encode(event: Event) -> str:
    """The payload of an event: canonical JSON (RFC 8785). Raises ValueError for NaN or infinity."""
    return canonical_text(event)


def decode(kind: str, payload: str) -> Event:
    """The event of a payload. Raises IntegrityError when it is not one."""
    try:
        if before_estimands(kind, payload) and (older := _renewed(kind, payload)):
            return older
        if kind in EVENT_TYPES:
            event: Event = _adapter(kind).validate_json(payload)
            return event
    except ValidationError as error:
        if renewed := _renewed(kind, payload):
            return renewed
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise IntegrityError(f"payload is not a {kind}: {where}: {first['msg']}") from error
    if renewed := _renewed(kind, payload):
        return renewed
    raise IntegrityError(f"unknown event kind {kind!r}: the ledger was written by a newer version of novum")


def as_today(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with the fields of today's event, where an older version wrote others; else as it is."""
    if kind in EVENT_TYPES:
        try:
            _adapter(kind).validate_json(json.dumps(payload))
            return payload
        except ValidationError:
            pass
    known = upcast(kind, payload)
    return known[1] if known else payload


def _renewed(kind: str, payload: str) -> Event | None:
    """Today's event of a record that an older version wrote; None when it is no such record."""
    try:
        known = upcast(kind, json.loads(payload))
        return _adapter(known[0]).validate_python(known[1]) if known else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def plain(value: Any) -> Any:
    """Dataclasses, enums, tuples and mappings as JSON values."""
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is dict or isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if kind is tuple or kind is list:
        return [plain(item) for item in value]
    if names := _fields(kind):
        return {name: plain(getattr(value, name)) for name in names}
    return value


_LEAVES = frozenset({str, int, float, bool, type(None)})


_NAMES: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    """Names of a dataclass's fields; none for any other type."""
    if kind not in _NAMES:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        _NAMES[kind] = tuple(field.name for field in fields)
    return _NAMES[kind]
