"""Events of proposals and the hypotheses they become, before any verdict."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Event, Known, event, proposal_name
from novum.core.model.candidate import Candidate, Cost


@event("hypothesis_withdrawn")
@dataclass(frozen=True, slots=True)
class HypothesisWithdrawn(Event):
    """Closed before any confirming trial: its budget is spent, it costs too much, or it may not be confirmed."""

    hypothesis: str
    reason: str

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis}: {self.reason}"


@event("proposal_made", casual=True)
@dataclass(frozen=True, slots=True)
class ProposalMade(Event):
    """A researcher's idea, with its prediction: probability that it is supported, and the effect if so."""

    number: int
    author: str
    candidate: Candidate
    parents: tuple[str, ...]
    rationale: str
    probability: float
    effect: float
    request: str = ""
    """What it answers, a request to a model (ModelAsked) or one from outside (RequestTaken); empty otherwise."""
    searched: int = 0
    """Candidates tried outside the record before this one was chosen, and the CPU seconds that this took."""
    search_seconds: float = 0.0

    def acted_by(self) -> str:
        return self.author

    def subjects(self, known: Known) -> set[str]:
        return {proposal_name(self.number), self.candidate.id}

    def sentence(self, known: Known) -> str:
        return (
            f"proposal {self.number}: {known.candidate(self.candidate.genome)} ({self.rationale or 'no reason given'})"
        )


@event("proposal_refused", casual=True)
@dataclass(frozen=True, slots=True)
class ProposalRefused(Event):
    """An idea that costs no trial: a duplicate, outside the space, over a declared limit."""

    number: int
    reason: str

    def subjects(self, known: Known) -> set[str]:
        return {proposal_name(self.number)}

    def sentence(self, known: Known) -> str:
        return f"proposal {self.number}: {self.reason}"


@event("hypothesis_registered")
@dataclass(frozen=True, slots=True)
class HypothesisRegistered(Event):
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

    def subjects(self, known: Known) -> set[str]:
        return {self.id, self.candidate.id}

    def introduce(self, known: Known) -> None:
        known.candidates[self.candidate.id] = self.candidate

    def sentence(self, known: Known) -> str:
        return (
            f"{self.id}: {known.change(self.candidate.genome, self.incumbent)}, against {known.origin(self.incumbent)}"
        )


@event("hypothesis_superseded")
@dataclass(frozen=True, slots=True)
class HypothesisSuperseded(Event):
    """Closed without a verdict: its incumbent is no longer the one to beat. `successor`: the same claim, made anew."""

    hypothesis: str
    successor: str | None

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis, self.successor or self.hypothesis}

    def sentence(self, known: Known) -> str:
        again = f"; claimed anew as {self.successor}" if self.successor else ""
        return f"{self.hypothesis}: its incumbent was replaced{again}"
