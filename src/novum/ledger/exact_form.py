"""Whether a payload is exactly the canonical JSON of its event, and if not: at which key, and what is wrong there.

A reader takes the last of two equal keys, passes over keys that it does not know, and reads "12" as 12. Two readers may
then see two events in the same bytes, so that a record holds one form only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from novum.core.events.event import Event
from novum.ledger.codec import as_today, encode, plain
from novum.text.canonical_json import canonical
from novum.text.format import cut

_SHOWN = 24
"""Characters of a text that are shown of where it differs."""

_KEY = re.compile(r'"((?:[^"\\]|\\.)*)":')


def departure(kind: str, payload: str, event: Event, *, older: bool) -> str:
    """What in a payload is not canonical JSON of the event that it was read as, in words; empty when nothing is.

    older: it may lack fields that its kind has got since.
    """
    try:
        if encode(event) == payload:
            return ""
        found = json.loads(payload, object_pairs_hook=_once)
        honest = canonical(found).decode()
    except ValueError as error:
        return _unwritable(plain(event), "") or str(error)
    said = as_today(kind, found)
    return _differing(said, plain(event), "", older=older) or ("" if honest == payload else _place(payload, honest))


def _unwritable(value: Any, path: str) -> str:
    """The first key under which there is something that JSON cannot hold, such as NaN."""
    if isinstance(value, dict):
        inner = ((item, f"{path}.{key}" if path else str(key)) for key, item in value.items())
        return next((said for item, name in inner if (said := _unwritable(item, name))), "")
    if isinstance(value, list):
        each = (_unwritable(item, f"{path}[{n}]") for n, item in enumerate(value))
        return next(filter(None, each), "")
    try:
        canonical(value)
    except ValueError:
        return f"its key {path!r} is {cut(repr(value), 40)}, which JSON cannot hold"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"its key {cut(key, 80)!r} is written twice")
        found[key] = value
    return found


def _differing(found: Any, honest: Any, path: str, *, older: bool) -> str:
    """The first key at which what was written is not what was read."""
    if isinstance(found, Mapping) and isinstance(honest, Mapping):
        for key in found:
            if key not in honest:
                return f"its key {_named(path, key)} is no field of it{_meant(key, honest)}"
        for key, value in honest.items():
            if key not in found:
                if older:
                    continue
                return f"its key {_named(path, key)} is missing"
            if said := _differing(found[key], value, f"{path}.{key}" if path else key, older=older):
                return said
        return ""
    if _listed(found) and _listed(honest) and len(found) == len(honest):
        pairs = enumerate(zip(found, honest, strict=True))
        return next(
            (said for n, (one, other) in pairs if (said := _differing(one, other, f"{path}[{n}]", older=older))), ""
        )
    if canonical(found) == canonical(plain(honest)):
        return ""
    return f"its key {path!r} is written {cut(str(canonical(found), 'utf-8'), 80)} and read as {cut(repr(honest), 80)}"


def _named(path: str, key: str) -> str:
    return repr(cut(f"{path}.{key}" if path else key, 80))


def _meant(key: str, honest: Mapping[str, Any]) -> str:
    near = next((name for name in honest if name.casefold() == key.casefold()), "")
    return f", which is written {near!r}" if near else ""


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _place(payload: str, honest: str) -> str:
    """Where a text first departs from the canonical one of the same value."""
    together = zip(payload, honest, strict=False)
    place = next((n for n, (one, other) in enumerate(together) if one != other), min(len(payload), len(honest)))
    keys = _KEY.findall(payload[:place])
    where = f"after its key {cut(keys[-1], 80)!r}" if keys else "at its beginning"
    has, wants = (repr(text[place : place + _SHOWN]) if text[place:] else "nothing" for text in (payload, honest))
    return f"it is not canonical JSON (RFC 8785): {where} it has {has} where {wants} belongs"
