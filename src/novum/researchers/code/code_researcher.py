"""A researcher that improves programs without a language model: four arms, chosen by what has paid so far.

tune: numeric literals as parameters. mutate: a point mutation of the syntax of a fit parent. rewrite: the library of
known-good rewrites, each once per parent. cross: a three-way merge of two fit variants.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.code.literal_tuning import tuned
from novum.researchers.code.operator_credit import CROSS, TUNE, Records, records
from novum.researchers.code.program_history import History, Variant, history
from novum.researchers.random import success_rate
from novum.source.merge import crossed
from novum.source.mutate import all_mutations, all_rewrites, by_operator, product
from novum.source.program_text import Mutation
from novum.source.space import SourceSpace

TRIES = 40

LIBRARY = 0.3
"""Share of proposals that go to the rewrites whatever has paid: each is a different idea, not more of the same."""

PRACTICE = 0.7
"""The same share where a study names its parameters and fixes its evaluation: what trains is left, and a sampler tunes
the numbers; point mutations of such code mostly break it."""

ANY = 0.2
"""Share of the other proposals whose arm is drawn uniformly, so that no arm is ever given up."""

_POINTS = ("number", "range", "name", "argument", "operator", "condition", "statement")


@dataclass(frozen=True, slots=True)
class _Idea:
    """A genome, in words, and the variants it descends from."""

    genome: Genome
    words: str
    parents: tuple[Variant, ...]


@dataclass(frozen=True)
class CodeResearcher:
    """The Researcher port over a SourceSpace."""

    population: Annotated[int, Ge(1)] = 24
    tournament: Annotated[int, Ge(1)] = 3
    """This and `population`: as in evolve, with the elite always eligible."""
    tuned: Annotated[int, Ge(1)] = 4
    """Literals changed together at most."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A program that differs in meaning from all that were tried. Raises StudyError for a space of genes."""
        past = history(_space(view), view)
        paid = records(past)
        for _ in range(TRIES):
            idea = self._idea(past, paid, rng)
            if idea is not None and past.is_new(idea.genome):
                return _proposal(view, idea)
        return None

    def _idea(self, past: History, paid: Records, rng: random.Random) -> _Idea | None:
        parent = past.parent(rng, self.population, self.tournament)
        arm = _arm(past, paid, rng)
        if arm == "tune":
            return self._tune(past, parent, rng)
        if arm == "cross":
            return self._cross(past, parent, rng)
        found = all_rewrites if arm == "rewrite" else all_mutations
        idea = _mutant(past, parent, _drawn(found(past.space, parent.genome), paid, rng))
        if idea is not None and arm == "mutate" and rng.random() < 0.25:
            again = _mutant(past, parent, _drawn(all_mutations(past.space, idea.genome), paid, rng), idea)
            return again or idea
        return idea

    def _tune(self, past: History, parent: Variant, rng: random.Random) -> _Idea | None:
        found = tuned(past, parent, rng, self.tuned)
        if found is None:
            return None
        try:
            genome = past.space.validate(found.genome)
        except StudyError:
            return None
        return _Idea(genome, f"{found.words}, by {found.method}", (parent,))

    def _cross(self, past: History, parent: Variant, rng: random.Random) -> _Idea | None:
        fit = past.fit[: self.population]
        other = max((rng.choice(fit) for _ in range(2)), key=lambda variant: variant.advantage)
        for ancestor in (past.incumbent.genome, {}):
            genome = crossed(past.space, ancestor, parent.genome, other.genome, rng)
            if genome is not None:
                return _Idea(genome, f"merges {parent.name} and {other.name}", (parent, other))
        return None


def _arm(past: History, paid: Records, rng: random.Random) -> str:
    """The arm that draws the best chance; the rewrites, and any arm at all, by their shares."""
    adopted = bool(past.space.parameters)
    if rng.random() < (PRACTICE if adopted else LIBRARY):
        return "rewrite"
    if rng.random() < ANY:
        return rng.choice(("mutate", "cross") if adopted else ("tune", "mutate", "cross"))
    arms = {
        "rewrite": paid.family(["rewrite"], rng),
        "tune": 0.0 if adopted else paid.draw(TUNE, rng),
        "mutate": paid.family(_POINTS, rng),
        "cross": paid.draw(CROSS, rng) if len(past.fit) > 2 else 0.0,
    }
    return max(arms, key=lambda name: arms[name])


def _space(view: StudyView) -> SourceSpace:
    space: object = view.space
    if not isinstance(space, SourceSpace):
        raise StudyError(
            "researcher code: this arena has genes, not files: choose evolve or random, or the arena program"
        )
    return space


def _drawn(found: list[Mutation], paid: Records, rng: random.Random) -> Mutation | None:
    """One mutation: the operator by Thompson sampling, the place uniformly."""
    groups = by_operator(found)
    if not groups:
        return None
    name = max(groups, key=lambda operator: paid.draw(operator, rng))
    return rng.choice(groups[name])


def _mutant(past: History, parent: Variant, mutation: Mutation | None, first: _Idea | None = None) -> _Idea | None:
    if mutation is None:
        return None
    genome = product(past.space, first.genome if first else parent.genome, [mutation])
    words = f"{first.words}, then {mutation.words}" if first else mutation.words
    return None if genome is None else _Idea(genome, words, (parent,))


def _proposal(view: StudyView, idea: _Idea) -> Proposal:
    first = idea.parents[0]
    source = "" if len(idea.parents) > 1 else f", from {first.name}"
    return Proposal(
        genome=idea.genome,
        rationale=f"{idea.words}{source}",
        parents=tuple(dict.fromkeys(parent.id for parent in idea.parents if parent.id is not None)),
        probability=success_rate(view),
        effect=max(0.0, *(parent.advantage for parent in idea.parents), 0.0),
    )
