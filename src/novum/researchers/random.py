"""Random search: the control that every other researcher has to beat."""

from __future__ import annotations

import random
from dataclasses import dataclass

from novum.core.model.candidate import Candidate, CandidateSpace, Genome
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView

TRIES = 100


def fresh(space: CandidateSpace, view: StudyView, rng: random.Random) -> Genome | None:
    """A uniformly drawn genome that has not been tried against the incumbent, or None after 100 draws."""
    for _ in range(TRIES):
        genome = space.sample(rng)
        if Candidate(genome).id not in view.known:
            return genome
    return None


@dataclass(frozen=True)
class RandomResearcher:
    """The Researcher port: uniform over the space, without repeats."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A random genome, predicted to win as often as random ones have won so far (with one loss in ten assumed)."""
        genome = fresh(view.space, view, rng)
        if genome is None:
            return None
        return Proposal(genome, "drawn uniformly from the space", probability=success_rate(view))


def success_rate(view: StudyView) -> float:
    """Share of supported hypotheses so far, smoothed by a prior of 1 in 10 worth ten hypotheses."""
    return (view.supported + 1) / (len(view.tried) + 10)
