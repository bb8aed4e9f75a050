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
from novum.core.nouns import Candidate, Cost, Kind, Setting
from novum.core.oversight import (
    Alarm,
    Commented,
    HypothesisWithdrawn,
    Intervened,
    ProposalReviewed,
    Remark,
    Step,
)
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
from novum.core.sessions import CampaignOpened, Check, PreflightRecorded, Provenance, SessionEnded, SessionStarted

__all__ = [
    "EVENT_TYPES",
    "AblationPlanned",
    "Act",
    "Alarm",
    "ApprovalAsked",
    "ApprovalClosed",
    "CampaignOpened",
    "CandidateTuned",
    "Check",
    "CheckpointSigned",
    "Commented",
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
    "HypothesisWithdrawn",
    "IncumbentChanged",
    "Intervened",
    "LateReport",
    "ModelAsked",
    "ModelReplied",
    "PreflightRecorded",
    "ProposalMade",
    "ProposalRefused",
    "ProposalReviewed",
    "Provenance",
    "Record",
    "Remark",
    "ReopeningRequested",
    "Reply",
    "RequestTaken",
    "RungClosed",
    "ScaleMeasured",
    "SessionEnded",
    "SessionStarted",
    "Step",
    "Told",
    "TrialFinished",
    "VerdictReached",
    "kind_of",
]


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
    """A trial group left for a worker. `elapsed` seconds of the session.

    cpu_seconds, gpu_seconds: set aside for it, and all that it may use. capped: whether that is less than the study's
    own limits allow, so that a group which is ended for it says nothing of its candidate.
    """

    plan: Plan
    session: int
    elapsed: float
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    capped: bool = False


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """The typed outcome of one trial, with the share of its group's resources.

    artefact: what was scored, as "sha256:..." (a blob) or "hex:..." (short ones). wall and elapsed in seconds.
    others: the card's further metrics. stored_bytes: what its artefact added to the lab's directory.
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
    stored_bytes: int = 0


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
    | Intervened
    | HypothesisWithdrawn
    | ProposalReviewed
    | Commented
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
