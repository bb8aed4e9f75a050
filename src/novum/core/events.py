"""The events: everything a lab remembers. The state of a lab is a fold of them and of nothing else.

The kind of an event is its class name in snake case. Confirmation seeds are never written here; a hypothesis' seed
key is committed to (SHA-256) before its first confirming trial and revealed when it closes, so that anybody can derive
the seeds afterwards and nobody could have chosen them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.dealings import Act, ApprovalAsked, ApprovalClosed, ModelAsked, ModelReplied, Reply, RequestTaken
from novum.core.nouns import Candidate, Card, Cost, Kind, Setting
from novum.core.plans import Plan, Purpose
from novum.core.rulings import (
    AblationPlanned,
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    Guard,
    HoldoutAnswered,
    HoldoutAsked,
    HoldoutClosed,
    HoldoutOpened,
    ReopeningRequested,
    Told,
    VerdictReached,
)
from novum.core.study import Budget, Study

__all__ = [
    "EVENT_TYPES",
    "AblationPlanned",
    "Act",
    "ApprovalAsked",
    "ApprovalClosed",
    "CampaignOpened",
    "CandidateTuned",
    "Check",
    "CheckpointSigned",
    "ConfirmationOpened",
    "Event",
    "FindingRecorded",
    "FollowUpClosed",
    "FollowUpOpened",
    "GroupDispatched",
    "Guard",
    "HoldoutAnswered",
    "HoldoutAsked",
    "HoldoutClosed",
    "HoldoutOpened",
    "HypothesisRegistered",
    "HypothesisSuperseded",
    "IncumbentChanged",
    "LateReport",
    "ModelAsked",
    "ModelReplied",
    "PreflightRecorded",
    "ProposalMade",
    "ProposalRefused",
    "Provenance",
    "Record",
    "ReopeningRequested",
    "Reply",
    "RequestTaken",
    "RungClosed",
    "ScaleMeasured",
    "SessionEnded",
    "SessionStarted",
    "Told",
    "TrialFinished",
    "VerdictReached",
    "kind_of",
]


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


@dataclass(frozen=True, slots=True)
class ProposalMade:
    """A researcher's idea, with its prediction: probability that it is supported, and the effect if so.

    request: what it answers, a request to a model (ModelAsked) or one from outside (RequestTaken); empty otherwise.
    """

    number: int
    author: str
    candidate: Candidate
    parents: tuple[str, ...]
    rationale: str
    probability: float
    effect: float
    request: str = ""


@dataclass(frozen=True, slots=True)
class ProposalRefused:
    """An idea that costs no trial: a duplicate, outside the space, over a declared limit."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class HypothesisRegistered:
    """The claim "candidate beats incumbent on the metric by more than delta", before any trial of it."""

    id: str
    number: int
    author: str
    candidate: Candidate
    cost: Cost
    incumbent: str
    metric: str
    higher_is_better: bool
    delta: float
    parents: tuple[str, ...]
    rationale: str
    probability: float
    effect: float


@dataclass(frozen=True, slots=True)
class HypothesisSuperseded:
    """Closed without a verdict: its incumbent is no longer the one to beat. `successor`: the same claim, made anew."""

    hypothesis: str
    successor: str | None


@dataclass(frozen=True, slots=True)
class GroupDispatched:
    """A trial group left for a worker. `elapsed` seconds of the session."""

    plan: Plan
    session: int
    elapsed: float


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """The typed outcome of one trial, with the share of its group's resources.

    artefact: what was scored, as "sha256:..." (a blob) or "hex:..." (short ones). wall and elapsed in seconds.
    others: the card's further metrics.
    """

    trial: str
    group: str
    member: int
    kind: Kind
    score: float | None
    cause: str
    artefact: str | None
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    elapsed: float
    facts: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LateReport:
    """A group reported after its outcomes were in: it had been given up as lost. Recorded, and never counted twice.

    kinds: how its trials ended this time. What it cost counts as spent.
    """

    group: str
    kinds: tuple[Kind, ...]
    cpu_seconds: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class RungClosed:
    """A candidate's first rung is complete. score: its best setting's mean, None without one; advanced: it goes on."""

    candidate: str
    score: float | None
    advanced: bool


@dataclass(frozen=True, slots=True)
class CandidateTuned:
    """The sweep over the tuning settings is complete; the best setting is frozen for everything that follows.

    score: mean over the search seeds at the best setting, None when no setting gave a score on every seed.
    scores: the mean of each setting, in the order of the card's tuning list. seeds: behind each mean; fewer than the
    study's for a candidate that did not get past the first rung.
    """

    candidate: str
    setting: Setting
    score: float | None
    scores: tuple[float | None, ...]
    seeds: int


@dataclass(frozen=True, slots=True)
class ScaleMeasured:
    """The incumbent's noise and level from runs on different seeds (A/A), in metric units.

    sigma: standard deviation of the difference of two runs; mean: of the runs, free of the luck of the search seeds.
    source: calibrate (A/A pairs of their own) or confirm (the fresh runs of a candidate that became incumbent).
    key: the seed key of the calibration runs, revealed; None for the other source. others: sigma of further metrics.
    """

    candidate: str
    sigma: float
    mean: float
    pairs: int
    source: Purpose
    key: str | None
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncumbentChanged:
    """A candidate became the one to beat. hypothesis is None for the baseline.

    It may be an earlier incumbent: when the finding behind the present one is retracted.
    """

    candidate: Candidate
    cost: Cost
    hypothesis: str | None


@dataclass(frozen=True, slots=True)
class CheckpointSigned:
    """The lab's signature over its record up to event `seq`, whose hash is `head`.

    public_key (Ed25519) and signature in hexadecimal. What is signed: novum.ledger.signed.
    """

    seq: int
    head: str
    public_key: str
    signature: str


Event = (
    CampaignOpened
    | SessionStarted
    | SessionEnded
    | PreflightRecorded
    | ProposalMade
    | ProposalRefused
    | HypothesisRegistered
    | HypothesisSuperseded
    | GroupDispatched
    | TrialFinished
    | LateReport
    | RungClosed
    | CandidateTuned
    | ScaleMeasured
    | ConfirmationOpened
    | VerdictReached
    | FindingRecorded
    | ReopeningRequested
    | AblationPlanned
    | FollowUpOpened
    | FollowUpClosed
    | HoldoutOpened
    | HoldoutAsked
    | HoldoutAnswered
    | HoldoutClosed
    | IncumbentChanged
    | CheckpointSigned
    | ModelAsked
    | ModelReplied
    | RequestTaken
    | ApprovalAsked
    | ApprovalClosed
)


def kind_of(event_type: type) -> str:
    """The name of an event class in the ledger."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event_type.__name__).lower()


EVENT_TYPES: dict[str, type] = {kind_of(event_type): event_type for event_type in Event.__args__}


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the ledger keeps it. time: microseconds since the epoch (UTC); hash: of this and all before."""

    seq: int
    time: int
    actor: str
    kind: str
    event: Event
    hash: str
