"""What a researcher may see, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from novum.core.nouns import Card, Genome
from novum.core.plans import Verdict
from novum.core.ports import CandidateSpace


@dataclass(frozen=True, slots=True)
class Tried:
    """A hypothesis of the past as a researcher sees it.

    advantage: screening gain over the present incumbent in metric units, better is positive (-inf when it failed).
    """

    id: str
    genome: Genome
    advantage: float
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class StudyView:
    """The study from a researcher's window: no seeds, no keys, no confirmation scores.

    number: of the proposal that is asked for. tried: hypotheses whose screening has ended, oldest first.
    known: ids of candidates that would be refused as duplicates.
    """

    card: Card
    space: CandidateSpace
    number: int
    incumbent: Genome
    tried: Sequence[Tried]
    known: Set[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome to try, why, from which hypotheses it descends, and a prediction that will be scored.

    probability: that it will be supported, in [0, 1]; effect: expected gain in metric units if it is.
    """

    genome: Genome
    rationale: str
    parents: tuple[str, ...] = ()
    probability: float = 0.1
    effect: float = 0.0
