"""Proposes a given list, in order, and then nothing: for controls, for tests, and for a person's own short list."""

from __future__ import annotations

import random
from dataclasses import dataclass

from novum.core.model.candidate import Genome
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView


@dataclass(frozen=True)
class ScriptedResearcher:
    """The Researcher port over a tuple of genomes."""

    genomes: tuple[Genome, ...]

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:  # noqa: ARG002 nothing is left to chance
        """Genome number `view.number` of the list."""
        if view.number > len(self.genomes):
            return None
        return Proposal(view.space.validate(self.genomes[view.number - 1]), "from the list")
