"""Snapshots of the fold: a cache, never the truth.

A large lab opens in seconds from the state at some event and the events after it. A snapshot is used only if the lab's
own secret sealed it, the same code wrote it, and the event that it names stands in the ledger with the same hash; in
any other case it is passed over and the ledger is read from its first event. `verify` never looks at it.

The state is pickled. A pickle can name any callable, so only data types of this package and a few containers are
looked up, and nothing is unpickled before its seal is checked.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import io
import json
import os
import pickle
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from novum.core.engine.gc_pause import gc_paused
from novum.core.state.campaign_state import CampaignState
from novum.ledger.novum_code import PACKAGE

NAME = "lab.snapshot"
FIRST = 5_000
"""Events below which a snapshot saves nothing."""

_CONTAINERS = {
    "builtins": {"set", "frozenset", "object"},
    "collections": {"Counter", "deque"},
    "copyreg": {"_reconstructor"},
}


@dataclass(frozen=True)
class Snapshot:
    """A state, and the number and hash of the last event in it."""

    state: CampaignState
    seq: int
    head: str


@dataclass
class Keeper:
    """Writes snapshots of a growing lab, ever more rarely: what they cost in all stays in proportion to the lab."""

    directory: Path
    secret: bytes
    last: int = 0

    def due(self, seq: int) -> bool:
        """Whether event `seq` is far enough from the last snapshot."""
        return seq >= 1.25 * self.last + FIRST

    def keep(self, snapshot: Snapshot) -> None:
        """Write one."""
        save(self.directory, self.secret, snapshot)
        self.last = snapshot.seq


def save(directory: Path, secret: bytes, snapshot: Snapshot) -> None:
    """Write a snapshot, whole or not at all. A disk that does not take it is no harm."""
    body = _packed(vars(snapshot.state))
    header = json.dumps({"code": _code(), "seq": snapshot.seq, "head": snapshot.head}).encode()
    part = directory / f".{NAME}.{os.getpid()}.part"
    with suppress(OSError):
        part.write_bytes(b"\n".join((_seal(secret, header, body), header, body)))
        part.replace(directory / NAME)
    with suppress(OSError):
        part.unlink(missing_ok=True)


def load(directory: Path, secret: bytes) -> Snapshot | None:
    """The snapshot of a lab, or None when there is none that can be relied on."""
    try:
        seal, header, body = (directory / NAME).read_bytes().split(b"\n", 2)
        if not hmac.compare_digest(seal, _seal(secret, header, body)):
            return None
        about = json.loads(header)
        if about["code"] != _code():
            return None
        state = CampaignState()
        with gc_paused():
            vars(state).update(_Data(io.BytesIO(body)).load())
        return Snapshot(state, int(about["seq"]), str(about["head"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, pickle.UnpicklingError):
        return None


def _packed(value: object) -> bytes:
    sink = io.BytesIO()
    _Packer(sink, protocol=5).dump(value)
    return sink.getvalue()


class _Packer(pickle.Pickler):
    """Writes events as calls of their types: their own way back, field by field, takes three times as long."""

    def reducer_override(self, obj: Any) -> Any:
        """How an object is written; NotImplemented for the usual way."""
        if isinstance(obj, Enum):  # the usual way of Python 3.11.0 to 3.11.3 is getattr, which is no data
            return type(obj), (obj.value,)
        names = _slots(type(obj))
        return (type(obj), tuple([getattr(obj, name) for name in names])) if names else NotImplemented


_NAMES: dict[type, tuple[str, ...]] = {}


def _slots(kind: type) -> tuple[str, ...]:
    """Fields of a dataclass with slots, in the order of its constructor; none for other types."""
    if kind not in _NAMES:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) and "__slots__" in vars(kind) else ()
        _NAMES[kind] = tuple(field.name for field in fields)
    return _NAMES[kind]


class _Data(pickle.Unpickler):
    """Looks up the package's own data types, and nothing that does anything."""

    def find_class(self, module: str, name: str) -> Any:
        """A type by name. Raises UnpicklingError for all that is not data."""
        if name in _CONTAINERS.get(module, ()):
            return super().find_class(module, name)
        found = super().find_class(module, name) if module.startswith("novum.core.") else None
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} is not data")
        return found


def _seal(secret: bytes, header: bytes, body: bytes) -> bytes:
    key = hmac.new(secret, b"snapshot", hashlib.sha256).digest()
    return hmac.new(key, header + b"\n" + body, hashlib.sha256).hexdigest().encode()


@cache
def _code() -> str:
    """A digest of the code that builds states, in every folder below: a snapshot of other code is no snapshot."""
    known = hashlib.sha256()
    for name in ("core", "text"):
        for file in sorted((PACKAGE / name).rglob("*.py")):
            known.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return known.hexdigest()
