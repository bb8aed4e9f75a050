"""Where artefacts are kept: short ones in their event, longer ones as blobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from novum.core.model.ports import Blobs

SHORT = 64
"""Artefacts up to this many bytes are kept in their event."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an artefact is, and the bytes that it takes beside its event."""

    address: str
    stored_bytes: int


def room(artefact: bytes) -> int:
    """Bytes that keeping it takes, beside its event."""
    return len(artefact) if len(artefact) > SHORT else 0


def address(artefact: bytes) -> str:
    """What an event says of an artefact."""
    return f"hex:{artefact.hex()}" if len(artefact) <= SHORT else f"sha256:{hashlib.sha256(artefact).hexdigest()}"


def keep(blobs: Blobs, artefact: bytes) -> str:
    """Store an artefact; returns what its event says of it."""
    if len(artefact) > SHORT:
        blobs.put(artefact)
    return address(artefact)


def fetch(blobs: Blobs, address: str) -> bytes:
    """The artefact that an event names, checked against its address. Raises IntegrityError."""
    scheme, _, value = address.partition(":")
    return bytes.fromhex(value) if scheme == "hex" else blobs.get(value)
