"""What a researcher may see, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from novum.core.dealings import ModelAsked, Reply
from novum.core.nouns import Card, Genome, Kind
from novum.core.plans import Verdict
from novum.core.ports import CandidateSpace


@dataclass(frozen=True, slots=True)
class Tried:
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
class Failed:
    """A trial that gave no score: how it ended and why, and which hypothesis it served (empty for others)."""

    hypothesis: str
    kind: Kind
    cause: str


@dataclass(frozen=True, slots=True)
class Claimed:
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
class Means:
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

    card: Card
    space: CandidateSpace
    number: int
    incumbent: Genome
    tried: Sequence[Tried]
    known: Set[str]
    question: str = ""
    failed: Sequence[Failed] = ()
    means: Means = Means()
    past: Sequence[Tried] = ()
    resting: Set[str] = frozenset()
    notes: Sequence[str] = ()
    judged: Sequence[Claimed] = ()
    registered: Sequence[Claimed] = ()


@dataclass(frozen=True, slots=True)
class Consultation:
    """A request to a model and its end. request: SHA-256 of all that was sent; template: of the prompt's template.

    tokens as the provider counts them, money in US dollars, seconds of waiting; replayed: from a record, not a model.
    """

    request: str
    model: str
    outcome: Reply
    cause: str = ""
    template: str = ""
    prompt: str = ""
    reply: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A model's words on a hypothesis such as h7, or on "proposal 12". request: the request that they answer."""

    about: str
    author: str
    text: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Thought:
    """No proposal now. ask: a request to a model to set means aside for; consulted: what came of earlier ones.

    comments: what models remark. final: there will never be another proposal. A researcher that is still thinking
    says neither.
    """

    ask: ModelAsked | None = None
    consulted: tuple[Consultation, ...] = ()
    final: bool = False
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome to try, why, from which hypotheses it descends, and a prediction that will be scored.

    probability: that it will be supported, in [0, 1]; effect: expected gain in metric units if it is. author: who had
    the idea, when it is not the researcher itself; consulted: the models that were asked for it.
    """

    genome: Genome
    rationale: str
    parents: tuple[str, ...] = ()
    probability: float = 0.1
    effect: float = 0.0
    author: str = ""
    consulted: tuple[Consultation, ...] = ()
