"""All mutations of a program, and their products as genomes that passed every static check."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.source.meaning import is_python
from novum.source.operators import expressions, numbers
from novum.source.program_text import Mutation, program
from novum.source.rewrites import rewrites
from novum.source.statements import statements

TRIES = 50


class SourceTrees(Protocol):
    """What mutations ask of a space of source trees (`novum.source.space.SourceSpace`)."""

    @property
    def base(self) -> Mapping[str, str]: ...

    def text(self, genome: Genome, path: str) -> str:
        """The text of a file in a genome in normal form."""
        ...

    def validate(self, genome: Genome) -> Genome:
        """The normal form. Raises StudyError."""
        ...

    def key(self, genome: Genome) -> str:
        """Equal for genomes that cannot behave differently."""
        ...

    def allows(self, genome: Genome, mutation: Mutation) -> bool:
        """Whether a mutation of a genome in normal form leaves alone what is fixed."""
        ...


@lru_cache(maxsize=64)
def mutations(text: str, path: str) -> tuple[Mutation, ...]:
    """The point mutations of a file, in the order of their operators' definition."""
    if not is_python(path):
        return tuple(numbers(text, path))
    source = program(text, path)
    return tuple(found for found in (*expressions(source), *statements(source)) if found is not None)


def all_mutations(space: SourceTrees, genome: Genome) -> list[Mutation]:
    """The point mutations of every editable file of a genome in normal form."""
    found = (one for path in files(space, genome) for one in mutations(space.text(genome, path), path))
    return [one for one in found if space.allows(genome, one)]


def all_rewrites(space: SourceTrees, genome: Genome) -> list[Mutation]:
    """The rewrites of the library that apply to a genome in normal form."""
    found = (one for path in files(space, genome) for one in rewrites(space.text(genome, path), path))
    return [one for one in found if space.allows(genome, one)]


def files(space: SourceTrees, genome: Genome) -> list[str]:
    """The paths of a genome's complete tree."""
    return sorted({*space.base, *genome})


def product(space: SourceTrees, genome: Genome, changes: Sequence[Mutation]) -> Genome | None:
    """`genome` after mutations of different files or places; None when a check refuses it or nothing was changed."""
    new = dict(genome)
    for change in changes:
        new[change.path] = change.apply(space.text(new, change.path))
    try:
        child = space.validate(new)
        return child if space.key(child) != space.key(genome) else None
    except StudyError:
        return None


def by_operator(found: Sequence[Mutation]) -> dict[str, list[Mutation]]:
    """Mutations under the names of their operators, in the order of the names."""
    groups: dict[str, list[Mutation]] = {}
    for mutation in found:
        groups.setdefault(mutation.operator, []).append(mutation)
    return dict(sorted(groups.items()))


def random_mutant(space: SourceTrees, genome: Genome, rng: random.Random) -> Genome:
    """One admissible mutant: an operator drawn uniformly, then one of its places; the genome when 50 draws fail."""
    start = space.validate(genome)
    groups = by_operator([*all_mutations(space, start), *all_rewrites(space, start)])
    names = list(groups)
    for _ in range(TRIES if names else 0):
        child = product(space, start, [rng.choice(groups[rng.choice(names)])])
        if child is not None:
            return child
    return start
