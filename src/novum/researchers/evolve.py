"""Regularised evolution (Real et al., AAAI 2019, arXiv 1802.01548): the fittest of a few recent ideas, changed once.

The population is the latest screened hypotheses and the incumbent; age removes, fitness is the screening score.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from novum.core.model.candidate import Candidate, Genome
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.random import fresh, success_rate
from novum.text.format import written

TRIES = 50


@dataclass(frozen=True)
class EvolveResearcher:
    """The Researcher port: tournament of `tournament` among the last `population`, one gene changed."""

    population: Annotated[int, Ge(1)] = 24
    tournament: Annotated[int, Ge(1)] = 4
    explore: Annotated[float, Ge(0), Le(1)] = 0.2
    """Share of proposals drawn at random instead; two-gene changes come with probability `jump`."""
    jump: Annotated[float, Ge(0), Le(1)] = 0.3

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A mutant of a fit parent that has not been tried against the incumbent; a random one when none is found."""
        if rng.random() >= self.explore:
            for _ in range(TRIES):
                parent = self._parent(view, rng)
                genome = self._child(view, parent.genome if parent else view.incumbent, rng)
                if Candidate(genome).id not in view.known:
                    return _proposal(view, parent, genome)
        genome_or_none = fresh(view.space, view, rng)
        if genome_or_none is None:
            return None
        return Proposal(genome_or_none, "drawn uniformly from the space", probability=success_rate(view))

    def _parent(self, view: StudyView, rng: random.Random) -> PastHypothesis | None:
        """The winner of a tournament; None stands for the incumbent, whose advantage over itself is 0."""
        pool: list[PastHypothesis | None] = [None, *view.tried[-self.population :]]
        entrants = [rng.choice(pool) for _ in range(self.tournament)]
        return max(entrants, key=lambda tried: 0.0 if tried is None else tried.advantage)

    def _child(self, view: StudyView, genome: Genome, rng: random.Random) -> Genome:
        child = view.space.mutate(genome, rng)
        return view.space.mutate(child, rng) if rng.random() < self.jump else child


def _proposal(view: StudyView, parent: PastHypothesis | None, genome: Genome) -> Proposal:
    origin = parent.genome if parent else view.space.validate(view.incumbent)
    changed = [name for name in genome if origin.get(name) != genome[name]]
    changes = [f"{name} {written(origin.get(name))} -> {written(genome[name])}" for name in changed]
    source = parent.id if parent else "the incumbent"
    return Proposal(
        genome=genome,
        rationale=f"{source} with {', '.join(changes)}" if changes else f"{source} again, against the new incumbent",
        parents=(parent.id,) if parent else (),
        probability=success_rate(view),
        effect=max(0.0, parent.advantage) if parent else 0.0,
    )
