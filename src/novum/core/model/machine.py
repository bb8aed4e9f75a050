"""Machines that work for a lab beside its own: what each says of itself, and which of them are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.text.canonical_json import digest


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it was when it joined. slots: groups at once. isolation: what stands between a trial and it."""

    id: str
    """Its host name and a few random characters, new with each start of its worker."""
    slots: int
    system: str = ""
    processor: str = ""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of what the arena's trials import."""
    isolation: str = ""
    probe: str = ""
    """SHA-256 of what it made of the lab's probe, a trial that every machine runs; empty where two runs differed."""

    @property
    def kind(self) -> str:
        """The same for machines whose results may be compared: equal processor, libraries, isolation and probe."""
        return digest([self.system, self.processor, self.python, dict(self.packages), self.isolation, self.probe])[:12]
