"""The events of a campaign's frame: its opening, the sessions in it, and what was asked of it before it began.

Part of the vocabulary of `novum.core.events`, which is where they are imported from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.nouns import Card
from novum.core.study import Budget, Study


@dataclass(frozen=True, slots=True)
class CampaignOpened:
    """The rules, before anything is tried. `code` and `secret_commitment`: SHA-256 of arena code and lab secret."""

    study: Study
    card: Card
    code: str
    secret_commitment: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the trials of a session may depend on, beside the candidate and the arena's code.

    novum_code: SHA-256 of Novum's source; git_commit and git_changes (a blob) where it runs from a checkout. data:
    SHA-256 of the arena's data files by name. isolation: what stands between a trial and the machine.
    """

    novum_code: str = ""
    git_commit: str = ""
    git_changes: str = ""
    python: str = ""
    system: str = ""
    machine: str = ""
    processor: str = ""
    processor_flags: tuple[str, ...] = ()
    cores: int = 0
    threads: Mapping[str, str] = field(default_factory=dict)
    isolation: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A process took up the campaign. Whatever an earlier session had in flight is run again."""

    session: int
    budget: Budget
    workers: int
    pid: int
    host: str
    versions: Mapping[str, str]
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session stopped in order. `elapsed` seconds of its own clock."""

    session: int
    reason: str
    elapsed: float


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the preflight: its answer (None: a remark, or not asked), in words, and the figures behind it.

    asked: whether the budget allowed to ask it.
    """

    name: str
    ok: bool | None
    words: str
    figures: Mapping[str, float] = field(default_factory=dict)
    asked: bool = True


@dataclass(frozen=True, slots=True)
class PreflightRecorded:
    """Whether the study can succeed at all, asked before its budget is spent, by experiments of known outcome.

    budget: what the answers were given for; trials and cpu_seconds: what asking cost, which counts as spent.
    """

    checks: tuple[Check, ...]
    conclusion: str
    ok: bool
    budget: Budget
    trials: int
    cpu_seconds: float
