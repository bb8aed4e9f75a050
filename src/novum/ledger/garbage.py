"""Blobs that no event names: left by a crash between an artefact and its event, or by a damaged ledger that was mended.

Nothing is collected unless somebody asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from novum.ledger.blobs import FileBlobs
from novum.ledger.journal import Journal, Reader

_ADDRESS = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What was, or would be, removed: blobs and bytes; and how many blobs stay."""

    blobs: int
    bytes: int
    kept: int
    removed: bool


def collect(directory: Path, *, remove: bool) -> Garbage:
    """Look for blobs that no event names, and remove them. Raises LabInUse while somebody writes, UserError."""
    with Reader(directory) as reader:
        if not remove:
            return _collect(directory, reader, remove=False)
        with Journal(directory):
            return _collect(directory, reader, remove=True)


def _collect(directory: Path, reader: Reader, *, remove: bool) -> Garbage:
    blobs = FileBlobs(directory / "blobs")
    named = {address for row in reader.rows() for address in _ADDRESS.findall(row[4])}
    unnamed = [address for address in blobs.addresses() if address not in named]
    kept = sum(1 for _ in blobs.addresses()) - len(unnamed)
    size = sum(blobs.drop(address) if remove else blobs.size(address) for address in unnamed)
    return Garbage(len(unnamed), size, kept, remove)
