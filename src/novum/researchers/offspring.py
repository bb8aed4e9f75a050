"""Children of candidates that were tried: by mutation, by crossover, and the proposals that they become."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.model.candidate import CandidateSpace, Crosses, Genome
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.random import success_rate
from novum.text.format import written


@dataclass(frozen=True, slots=True)
class Parent:
    """A hypothesis whose screening has ended, or the incumbent: without an id, at the advantage 0 over itself."""

    genome: Genome
    id: str = ""
    advantage: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in a rationale."""
        return self.id or "the incumbent"


def mutant(space: CandidateSpace, genome: Genome, jump: float, rng: random.Random) -> Genome:
    """`genome` mutated once, and once more with probability `jump`."""
    child = space.mutate(genome, rng)
    return space.mutate(child, rng) if rng.random() < jump else child


def is_crossed(space: CandidateSpace, share: float, rng: random.Random) -> bool:
    """Whether the next child has two parents: with probability `share`, where the space can cross.

    Nothing is drawn from `rng` where the answer is known without it, so that campaigns without crossover stay as they
    were.
    """
    return share > 0 and isinstance(space, Crosses) and rng.random() < share


def crossed(space: CandidateSpace, one: Genome, other: Genome, rng: random.Random) -> Genome:
    """A child of two. The space must have the power `Crosses`."""
    assert isinstance(space, Crosses)
    return space.cross(space.validate(one), space.validate(other), rng)


def descended(view: StudyView, genome: Genome, parents: Sequence[Parent], remark: str = "") -> Proposal:
    """A child as a proposal: what differs from its first parent, and the gain that its parents had on average."""
    first = parents[0]
    origin = first.genome if first.id else view.space.validate(view.incumbent)
    changed = [name for name in genome if origin.get(name) != genome[name]]
    changes = [f"{name} {written(origin.get(name))} -> {written(genome[name])}" for name in changed]
    words = f"with {', '.join(changes)}" if changes else "again, against the new incumbent"
    others = f", crossed with {' and '.join(one.name for one in parents[1:])}" if len(parents) > 1 else ""
    return Proposal(
        genome=genome,
        rationale=f"{first.name} {words}{others}{remark}",
        parents=tuple(dict.fromkeys(one.id for one in parents if one.id)),
        probability=success_rate(view),
        effect=max(0.0, sum(one.advantage for one in parents) / len(parents)),
    )
