"""What goes to an agent and what comes back. All that comes back is anybody's data until the arena has admitted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import NovumError

MIB = 1 << 20
LOG_BYTES = 64 << 10
"""Of a transcript's log, in UTF-8."""


class AgentFailed(NovumError):
    """An agent brought nothing that could be proposed. Exit status 1."""


@dataclass(frozen=True, slots=True)
class AgentTask:
    """A command to run on a brief. seconds: wall time; readable: directories that it is shown beside the system's."""

    command: tuple[str, ...]
    seconds: float = 600.0
    memory_bytes: int = 4096 * MIB
    readable: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What an agent finds in its directory: the brief, the program's files as the incumbent has them, a template.

    start: the incumbent. withheld: files that are not shown, as they hold what looks like a secret.
    """

    brief: str
    brief_name: str
    template: str
    proposal_name: str
    start: Genome
    files: Mapping[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """What an agent left, as the program in its sandbox tells: changed and new texts by path, and what is none.

    status: exit status of the command, -N for signal N. refused: paths that are no plain text, with the reason.
    left_out: files of the tools' own, which are never part of a candidate.
    """

    status: int
    files: Mapping[str, str]
    deleted: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a model's provider counted."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an agent to its model. status: what it was answered; sent and received: bytes of the bodies."""

    method: str
    path: str
    status: int
    sent: int
    received: int
    seconds: float
    usage: Usage = Usage()
    note: str = ""


@dataclass(frozen=True, slots=True)
class AgentRun:
    """How an agent's run ended. edit: None when there is none, `failure` says why. status: None if it was ended."""

    edit: Edit | None
    failure: str
    log: str
    status: int | None
    seconds: float
    calls: tuple[Call, ...] = ()

    @property
    def usage(self) -> Usage:
        """Tokens of all requests."""
        return sum((call.usage for call in self.calls), Usage())


@dataclass(frozen=True, slots=True)
class Idea:
    """A candidate that the arena admits, why, and a prediction. notes: what was not understood of what it left."""

    candidate: Candidate
    rationale: str
    probability: float
    effect: float
    notes: tuple[str, ...] = ()
