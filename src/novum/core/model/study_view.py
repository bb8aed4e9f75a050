"""A study as a researcher sees it: no seeds, no keys, no confirmation scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import CandidateSpace, Cost, Genome
from novum.core.model.run_progress import Curve
from novum.core.model.trial import OutcomeKind
from novum.core.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PastHypothesis:
    """A hypothesis of the past as a researcher sees it."""

    id: str
    genome: Genome
    advantage: float
    """Screening gain over the present incumbent in metric units, better is positive (-inf when it failed)."""
    verdict: Verdict | None
    author: str = ""
    trials: int = 0
    cpu_seconds: float = 0.0
    """This and `trials`: what it has cost, its confirmation included."""
    gain: float | None = None
    """The same over the incumbent that it was claimed against (None when it failed), with its standard error `doubt`.
    """
    doubt: float = 0.0
    effect: float | None = None
    """The gain of a finding on fresh pairs, 0 once it was retracted; None for what is no finding."""
    compute: float | None = None
    """Compute of a screening trial over that of the present incumbent; None where it says little."""
    remarks: str = ""
    """What its scorer said of it in screening: untrusted text."""
    curve: Curve = ()
    """The progress of its first screening run."""
    stopped: bool = False
    """Whether that run was ended early."""
    others: Mapping[str, float] = field(default_factory=dict)
    """The spec's further metrics in screening: means over the runs that its score is the mean of; empty without one."""
    cost: Cost | None = None
    """What it costs by construction."""


@dataclass(frozen=True, slots=True)
class FailedTrial:
    """A trial that gave no score: how it ended and why, and which hypothesis it served (empty for others)."""

    hypothesis: str
    kind: OutcomeKind
    cause: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A registered claim and what came of it, for whoever comments on it, in numbers of events."""

    id: str
    number: int
    author: str
    genome: Genome
    incumbent: Genome
    rationale: str
    probability: float
    effect: float
    delta: float
    commented: Set[str] = frozenset()
    """The authors of comments on it."""
    score: float | None = None
    """In screening, a mean over `seeds`."""
    seeds: int = 0
    level: float | None = None
    """What it is held against."""
    sigma: float | None = None
    """Of the difference of two runs of the incumbent. From the verdict on: pairs of at most max_pairs, E and its
    threshold, crashes, and what a refutation rules out (a gain of delta + dmin, at error beta). For a finding: gain
    on `fresh` pairs with an interval at level `confidence`."""
    attempt: int = 0
    """Of its confirmations, 0 before a verdict."""
    verdict: Verdict | None = None
    reason: str = ""
    pairs: int = 0
    max_pairs: int = 0
    e_value: float = 0.0
    threshold: float = 0.0
    crashes: int = 0
    dmin: float = 0.0
    beta: float = 0.0
    gain: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float = 0.0
    fresh: int = 0


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What may still be used; None is without bound."""

    trials: int | None = None
    cpu_seconds: float | None = None
    tokens: int | None = None
    money: float | None = None
    reserved: Set[str] = frozenset()
    """Requests that may be sent, being set aside for."""
    failures_in_a_row: int = 0
    awaiting: Set[str] = frozenset()
    """Models and requests that people have yet to allow."""
    denied: Set[str] = frozenset()
    """Requests that will not be sent."""


@dataclass(frozen=True, slots=True)
class StudyView:
    """The study from a researcher's window: no seeds, no keys, no confirmation scores."""

    spec: ArenaSpec
    space: CandidateSpace
    number: int
    """Of the proposal that is asked for."""
    incumbent: Genome
    tried: Sequence[PastHypothesis]
    """Hypotheses whose screening has ended, oldest first."""
    known: Set[str]
    """Ids of candidates that would be refused as duplicates."""
    question: str = ""
    failed: Sequence[FailedTrial] = ()
    """The latest trials without a score."""
    means: BudgetLeft = BudgetLeft()
    past: Sequence[PastHypothesis] = ()
    """As `tried`, further back."""
    resting: Set[str] = frozenset()
    """Researchers that are not to propose now."""
    notes: Sequence[str] = ()
    """What the watchdog did of late, in words."""
    judged: Sequence[ClaimView] = ()
    """Claims with a verdict, registered: claims of any kind, the latest ones, oldest first."""
    registered: Sequence[ClaimView] = ()
    supported: int = 0
    """How many of those in `tried` were supported."""
    withdrawn: Sequence[PastHypothesis] = ()
    """The latest ones whose screening was not run to its end, since they cost too much or behave as the incumbent."""
    remarks: str = ""
    """What the scorer said of the incumbent in screening; untrusted text."""
    compute_limit: float | None = None
    """How many times the incumbent's compute a candidate may be measured to take; None where it may take any."""
    others: Mapping[str, float] = field(default_factory=dict)
    """This and `cost`: the incumbent's, as those of a PastHypothesis."""
    cost: Cost | None = None
