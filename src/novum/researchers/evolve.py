"""Regularised evolution (Real et al., AAAI 2019, arXiv 1802.01548): the fittest of a few recent ideas, changed once.

The population is the latest screened hypotheses and the incumbent; age removes, fitness is the screening score. With
the option `crossover` a share of the children has two parents, each the winner of a tournament.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from novum.core.model.candidate import Candidate
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.offspring import Parent, crossed, descended, is_crossed, mutant
from novum.researchers.random import fresh, success_rate

TRIES = 50


@dataclass(frozen=True)
class EvolveResearcher:
    """The Researcher port: tournament of `tournament` among the last `population`, one gene changed."""

    population: Annotated[int, Ge(1)] = 24
    tournament: Annotated[int, Ge(1)] = 4
    explore: Annotated[float, Ge(0), Le(1)] = 0.2
    """Share of proposals drawn at random instead; two-gene changes come with probability `jump`."""
    jump: Annotated[float, Ge(0), Le(1)] = 0.3
    crossover: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of children that have two parents and no other change, where the space can cross."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A child of fit parents that has not been tried against the incumbent; a random one when none is found."""
        if rng.random() >= self.explore:
            for _ in range(TRIES):
                parents = [self._parent(view, rng)]
                if is_crossed(view.space, self.crossover, rng):
                    parents.append(self._parent(view, rng))
                    genome = crossed(view.space, parents[0].genome, parents[1].genome, rng)
                else:
                    genome = mutant(view.space, parents[0].genome, self.jump, rng)
                if Candidate(genome).id not in view.known:
                    return descended(view, genome, parents)
        genome_or_none = fresh(view.space, view, rng)
        if genome_or_none is None:
            return None
        return Proposal(genome_or_none, "drawn uniformly from the space", probability=success_rate(view))

    def _parent(self, view: StudyView, rng: random.Random) -> Parent:
        """The winner of a tournament among the latest hypotheses and the incumbent."""
        recent = range(max(0, len(view.tried) - self.population), len(view.tried))
        # Drawn by their places, since each that is looked at takes time: few of them enter.
        places = [rng.choice([None, *recent]) for _ in range(self.tournament)]
        entrants = [Parent(view.incumbent) if at is None else _as_parent(view.tried[at]) for at in places]
        return max(entrants, key=lambda one: one.advantage)


def _as_parent(one: PastHypothesis) -> Parent:
    return Parent(one.genome, one.id, one.advantage)
