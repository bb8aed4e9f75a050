"""The past of a study as a code researcher needs it, rebuilt from the view at each proposal."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import StudyError
from novum.core.model.study_view import StudyView
from novum.source.space import SourceSpace

ELITE = 5


@dataclass(frozen=True, slots=True)
class Variant:
    """A program of the past in normal form. `id` is its hypothesis; None for the incumbent and the base."""

    id: str | None
    genome: Genome
    advantage: float

    @property
    def name(self) -> str:
        """What a rationale calls it."""
        return self.id or "the incumbent"


@dataclass(frozen=True)
class History:
    """Programs that were screened, the incumbent first and then the oldest, and what may not be proposed again."""

    space: SourceSpace
    view: StudyView
    variants: tuple[Variant, ...]
    keys: frozenset[str]

    @property
    def incumbent(self) -> Variant:
        """The program to beat."""
        return self.variants[0]

    @property
    def fit(self) -> list[Variant]:
        """Variants that were scored, the incumbent included, the best first."""
        scored = [variant for variant in self.variants if isfinite(variant.advantage)]
        return sorted(scored, key=lambda variant: -variant.advantage)

    def is_new(self, genome: Genome) -> bool:
        """Whether neither the candidate nor a program of the same meaning has been tried."""
        return Candidate(genome).id not in self.view.known and normal(self.space, genome)[1] not in self.keys

    def parent(self, rng: random.Random, population: int, tournament: int) -> Variant:
        """The winner of a tournament among the elite or, half of the time, among the latest variants too."""
        elite = self.fit[:ELITE]
        recent = [variant for variant in self.variants[-population:] if isfinite(variant.advantage)]
        pool = elite if rng.random() < 0.5 else [*elite, *recent]
        return max((rng.choice(pool) for _ in range(tournament)), key=lambda variant: variant.advantage)


def history(space: SourceSpace, view: StudyView) -> History:
    """The history in a view; hypotheses that no longer fit the space are left out."""
    incumbent = Variant(None, normal(space, view.incumbent)[0], 0.0)
    variants = [incumbent]
    keys = {normal(space, incumbent.genome)[1], space.key({})}
    for tried in view.tried:
        try:
            genome, key = normal(space, tried.genome)
        except StudyError:
            continue
        variants.append(Variant(tried.id, genome, tried.advantage))
        keys.add(key)
    return History(space, view, tuple(variants), frozenset(keys))


def normal(space: SourceSpace, genome: Genome) -> tuple[Genome, str]:
    """The normal form of a genome and its key. Raises StudyError."""
    return _normal(space, tuple(genome.items()))


@lru_cache(maxsize=2048)
def _normal(space: SourceSpace, items: Sequence[tuple[str, str]]) -> tuple[Genome, str]:
    genome = space.validate(dict(items))
    return genome, space.key(genome)
