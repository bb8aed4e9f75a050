"""Which operator made which program, and which operators pay: Thompson sampling over their record.

The record holds programs and no operators, so the operator is found by comparing: it is the one whose product at an
earlier program is the later one. (Thompson, Biometrika 25, 1933; adaptive operator selection: Fialho et al., Annals of
Mathematics and AI 60, 2010.)
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from novum.core.model.candidate import Genome
from novum.researchers.code.program_history import History, Variant
from novum.source.literals import skeleton
from novum.source.mutate import mutations
from novum.source.program_text import Mutation
from novum.source.rewrites import rewrites
from novum.source.space import SourceSpace

WINDOW = 48
"""How many of the latest variants count: what paid long ago need not pay now."""

NEAREST = 3
"""How many of the most similar earlier programs are asked whether they are the parent."""

TUNE, CROSS = "tune", "cross"

PRIORS: Mapping[str, tuple[float, float]] = {
    "rewrite": (2.0, 2.0),
    "tune": (1.0, 2.0),
    "cross": (1.0, 2.0),
    "number": (1.0, 3.0),
    "range": (1.0, 3.0),
    "name": (1.0, 4.0),
    "argument": (1.0, 6.0),
    "operator": (1.0, 6.0),
    "condition": (1.0, 8.0),
    "statement": (1.0, 8.0),
}
"""Successes and failures assumed of each family of operators before anything is known."""


@dataclass(frozen=True, slots=True)
class Record:
    """How often an operator was seen, and how often its product was better than the parent."""

    wins: int = 0
    lost_trials: int = 0

    def plus(self, *, won: bool) -> Record:
        """The record after one more product."""
        return Record(self.wins + won, self.lost_trials + (not won))


@dataclass(frozen=True)
class Records:
    """The records of operators, by name."""

    by_name: Mapping[str, Record]

    def draw(self, name: str, rng: random.Random) -> float:
        """A chance of success drawn from what is believed of an operator."""
        wins, lost_trials = PRIORS.get(name.split(".")[0], (1.0, 4.0))
        seen = self.by_name.get(name, Record())
        return rng.betavariate(wins + seen.wins, lost_trials + seen.lost_trials)

    def family(self, names: Sequence[str], rng: random.Random) -> float:
        """A chance of success drawn for several operators together."""
        wins, lost_trials = PRIORS.get(names[0].split(".")[0], (1.0, 4.0)) if names else (1.0, 4.0)
        families = {name.split(".")[0] for name in names}
        seen = [record for name, record in self.by_name.items() if name.split(".")[0] in families]
        return rng.betavariate(wins + sum(r.wins for r in seen), lost_trials + sum(r.lost_trials for r in seen))


def records(past: History) -> Records:
    """What the latest variants say about the operators that made them."""
    found: dict[str, Record] = {}
    variants = (past.incumbent, Variant(None, {}, 0.0), *past.variants[1:][-WINDOW:])
    differ = [_differing(past.space, tuple(variant.genome.items())) for variant in variants]
    for index in range(2, len(variants)):
        made = _made_by(past.space, variants[: index + 1], differ[: index + 1])
        if made is not None:
            name, parent = made
            won = variants[index].advantage > parent.advantage
            found[name] = found.get(name, Record()).plus(won=won)
    return Records(found)


def _made_by(
    space: SourceSpace, variants: Sequence[Variant], differ: Sequence[frozenset[str]]
) -> tuple[str, Variant] | None:
    """The operator that made the last variant and the program it was applied to, or None for the work of others."""
    *earlier, child = variants
    ours = differ[-1]
    distances = [len(ours ^ theirs) for theirs in differ[:-1]]
    order = sorted(range(len(earlier)), key=distances.__getitem__)
    for index in order[:NEAREST]:
        name = _operator(space, earlier[index].genome, child.genome)
        if name is not None:
            return name, earlier[index]
    near = order[0]
    rest = ours - differ[near]
    if rest and any(rest <= differ[index] for index in order[1:]):
        return CROSS, earlier[near]
    return None


@lru_cache(maxsize=2048)
def _differing(space: SourceSpace, items: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """The lines that only one of a program and the base has."""
    theirs, ours = set(), set()
    for path, text in items:
        ours |= set(text.split("\n"))
        theirs |= set(space.text({}, path).split("\n"))
    return frozenset(ours ^ theirs)


def _operator(space: SourceSpace, parent: Genome, child: Genome) -> str | None:
    differ = [path for path in sorted({*parent, *child}) if space.text(parent, path) != space.text(child, path)]
    if len(differ) != 1:
        return None
    path = differ[0]
    return operator(path, space.text(parent, path), space.text(child, path))


@lru_cache(maxsize=4096)
def operator(path: str, parent: str, child: str) -> str | None:
    """The operator whose product at `parent` is `child`; `tune` when only literals differ; None when it is neither."""
    same = next(
        (i for i, (a, b) in enumerate(zip(parent, child, strict=False)) if a != b), min(len(parent), len(child))
    )
    for mutation in (*rewrites(parent, path), *mutations(parent, path)):
        fits = _growth(mutation) == len(child) - len(parent) and min(mutation.edits).start <= same
        if fits and mutation.apply(parent) == child:
            return mutation.operator
    return TUNE if skeleton(parent, path).masked == skeleton(child, path).masked else None


def _growth(mutation: Mutation) -> int:
    return sum(len(edit.new) - (edit.end - edit.start) for edit in mutation.edits)
