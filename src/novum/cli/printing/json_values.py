"""What commands print as JSON where no view of the record has that shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ArenaLine:
    """One arena: its question and metric, whether its packages are installed, its built-in studies, its origin."""

    arena: str
    question: str
    metric: str
    ready: bool
    studies: list[str]
    origin: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """One researcher or executor: what it is, its options, and where it is from."""

    name: str
    about: str
    options: list[str]
    origin: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the record."""

    seq: int
    time: str
    """UTC, ISO 8601 to the microsecond."""
    actor: str
    kind: str
    words: str
    """The event in one line for people."""
    event: dict[str, Any]
    """The payload; its fields by kind: docs/record.md."""
    hash: str
    """SHA-256 of the event and of the hash before it, hexadecimal."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The report that was written."""

    report: str
    bytes: int


@dataclass(frozen=True, slots=True)
class AnchorRoot:
    """A root of the record up to event `seq`, whose hash is `head`."""

    root: str
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """The request that was left in the mailbox of the lab."""

    request: str
