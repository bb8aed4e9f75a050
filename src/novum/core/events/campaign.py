"""Events of a campaign's frame: its opening, sessions, preflight, incumbents and signed checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.events.event import Event, Known, event
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget, budget_text
from novum.core.model.candidate import Candidate, Cost
from novum.core.model.study import Study
from novum.text.format import counted, seconds


@event("campaign_opened")
@dataclass(frozen=True, slots=True)
class CampaignOpened(Event):
    """The rules, before anything is tried. `code` and `secret_commitment`: SHA-256 of arena code and lab secret."""

    study: Study
    card: ArenaSpec
    """The arena's spec, under the name that records have always had for it."""
    code: str
    secret_commitment: str
    versions: Mapping[str, str]

    def introduce(self, known: Known) -> None:
        known.study = self.study

    def sentence(self, known: Known) -> str:
        study = self.study
        return f"{study.name}, arena {study.arena}, seed {study.seed}: {study.question or self.card.question}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the trials of a session may depend on, beside the candidate and the arena's code."""

    novum_code: str = ""
    """SHA-256 of Novum's source; git_commit and git_changes (a blob) where it runs from a checkout."""
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
    """What stands between a trial and the machine."""
    data: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the arena's data files by name."""
    packages: Mapping[str, str] = field(default_factory=dict)


@event("session_started")
@dataclass(frozen=True, slots=True)
class SessionStarted(Event):
    """A process took up the campaign. Whatever an earlier session had in flight is run again."""

    session: int
    budget: Budget
    workers: int
    pid: int
    host: str
    versions: Mapping[str, str]
    provenance: Provenance = field(default_factory=Provenance)
    schema: int = 0
    """Of the record from here on (`novum.ledger.journal.SCHEMA`); versions before the third did not say it."""

    def sentence(self, known: Known) -> str:
        return f"session {self.session} with {counted(self.workers, 'worker')}, budget {budget_text(self.budget)}"


@event("session_ended")
@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """The session stopped in order. `elapsed` seconds of its own clock."""

    session: int
    reason: str
    elapsed: float

    def sentence(self, known: Known) -> str:
        return f"session {self.session} after {seconds(self.elapsed)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the preflight: its answer (None: a remark, or not asked), in words, and the figures behind it."""

    name: str
    ok: bool | None
    words: str
    figures: Mapping[str, float] = field(default_factory=dict)
    asked: bool = True
    """Whether the budget allowed to ask it."""
    record: str = ""
    """The head of the record of the small campaign that answered it; empty where none did."""


@event("preflight_recorded")
@dataclass(frozen=True, slots=True)
class PreflightRecorded(Event):
    """Whether the study can succeed at all, asked before its budget is spent, by experiments of known outcome."""

    checks: tuple[Check, ...]
    conclusion: str
    ok: bool
    budget: Budget
    """What the answers were given for."""
    trials: int
    cpu_seconds: float
    """This and `trials`: what controls cost, which counts as spent; the baseline's runs are the campaign's own."""

    def sentence(self, known: Known) -> str:
        controls = f" ({counted(self.trials, 'trial')} in controls)" if self.trials else ""
        return f"{'passed' if self.ok else 'FAILED'}{controls}: {self.conclusion}"


@event("incumbent_changed")
@dataclass(frozen=True, slots=True)
class IncumbentChanged(Event):
    """A candidate became the one to beat. hypothesis is None for the baseline.

    It may be an earlier incumbent: when the finding behind the present one is retracted.
    """

    candidate: Candidate
    cost: Cost
    hypothesis: str | None

    def subjects(self, known: Known) -> set[str]:
        return {self.candidate.id, self.hypothesis or self.candidate.id}

    def introduce(self, known: Known) -> None:
        known.candidates[self.candidate.id] = self.candidate
        known.origins[self.candidate.id] = self.hypothesis or "the baseline"

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis or 'the baseline'}: {known.candidate(self.candidate.genome)}"


@event("checkpoint_signed")
@dataclass(frozen=True, slots=True)
class CheckpointSigned(Event):
    """The lab's signature over its record up to event `seq`, whose hash is `head`.

    public_key (Ed25519) and signature in hexadecimal. What is signed: novum.ledger.signed.
    """

    seq: int
    head: str
    public_key: str
    signature: str

    def sentence(self, known: Known) -> str:
        return f"the record up to event {self.seq}, by the key {self.public_key[:16]}"
