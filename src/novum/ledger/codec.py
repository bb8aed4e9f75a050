"""Events to canonical JSON and back, checked against their types on the way in."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from novum.core.errors import IntegrityError
from novum.core.events import EVENT_TYPES, Event
from novum.core.ids import canonical


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(EVENT_TYPES[kind])


def encode(event: Event) -> str:
    """The payload of an event: canonical JSON (RFC 8785). Raises ValueError for NaN or infinity."""
    return canonical(plain(event)).decode()


def decode(kind: str, payload: str) -> Event:
    """The event of a payload. Raises IntegrityError when it is not one."""
    if kind not in EVENT_TYPES:
        raise IntegrityError(f"unknown event kind {kind!r}: the ledger was written by a newer version of novum")
    try:
        event: Event = _adapter(kind).validate_json(payload)
    except ValidationError as error:
        raise IntegrityError(f"payload is not a {kind}: {error.errors()[0]['msg']}") from error
    return event


def plain(value: Any) -> Any:
    """Dataclasses, enums, tuples and mappings as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
