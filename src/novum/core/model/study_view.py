"""A study as a researcher sees it: no seeds, no keys, no confirmation scores."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import CandidateSpace, Genome
from novum.core.model.trial import OutcomeKind
from novum.core.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PastHypothesis:
    """A hypothesis of the past as a researcher sees it.

    advantage: screening gain over the present incumbent in metric units, better is positive (-inf when it failed).
    gain: the same over the incumbent that it was claimed against (None when it failed), with its standard error
    `doubt`. effect: the gain of a finding on fresh pairs, 0 once it was retracted; None for what is no finding.
    trials, cpu_seconds: what it has cost, its confirmation included.
    """

    id: str
    genome: Genome
    advantage: float
    verdict: Verdict | None
    author: str = ""
    trials: int = 0
    cpu_seconds: float = 0.0
    gain: float | None = None
    doubt: float = 0.0
    effect: float | None = None


@dataclass(frozen=True, slots=True)
class FailedTrial:
    """A trial that gave no score: how it ended and why, and which hypothesis it served (empty for others)."""

    hypothesis: str
    kind: OutcomeKind
    cause: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A registered claim and what came of it, for whoever comments on it: numbers that stand in events, as they stand.

    attempt: of its confirmations, 0 before a verdict. score: in screening, a mean over `seeds`; level: what it is held
    against; sigma: of the difference of two runs of the incumbent. From the verdict on: pairs of at most max_pairs, E
    and its threshold, crashes, and what a refutation rules out (a gain of delta + dmin, at error beta). For a finding:
    gain on `fresh` pairs with an interval at level `confidence`. commented: the authors of comments on it.
    """

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
    score: float | None = None
    seeds: int = 0
    level: float | None = None
    sigma: float | None = None
    attempt: int = 0
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
    """What may still be used; None is without bound. reserved: requests that may be sent, being set aside for.

    awaiting: models and requests that people have yet to allow; denied: requests that will not be sent.
    """

    trials: int | None = None
    tokens: int | None = None
    money: float | None = None
    reserved: Set[str] = frozenset()
    failures_in_a_row: int = 0
    awaiting: Set[str] = frozenset()
    denied: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StudyView:
    """The study from a researcher's window: no seeds, no keys, no confirmation scores.

    number: of the proposal that is asked for. tried: hypotheses whose screening has ended, oldest first.
    known: ids of candidates that would be refused as duplicates. failed: the latest trials without a score.
    past: as `tried`, further back. resting: researchers that are not to propose now; notes: what the watchdog did of
    late, in words. judged: claims with a verdict, registered: claims of any kind, the latest ones, oldest first.
    """

    spec: ArenaSpec
    space: CandidateSpace
    number: int
    incumbent: Genome
    tried: Sequence[PastHypothesis]
    known: Set[str]
    question: str = ""
    failed: Sequence[FailedTrial] = ()
    means: BudgetLeft = BudgetLeft()
    past: Sequence[PastHypothesis] = ()
    resting: Set[str] = frozenset()
    notes: Sequence[str] = ()
    judged: Sequence[ClaimView] = ()
    registered: Sequence[ClaimView] = ()
