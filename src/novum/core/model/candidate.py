"""What is varied: genomes of typed genes, the space of those an arena admits, and what one costs.

A genome is a mapping from gene name to scalar and is never changed in place.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol, runtime_checkable

from novum.core.model.errors import StudyError
from novum.text.canonical_json import digest
from novum.text.format import cut, written

Scalar = str | int | float | bool


Genome = Mapping[str, Scalar]


Setting = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Gene:
    """One choice of a candidate space: its name, the values it may take, and what it means.

    Numbers of numpy become Python's. Raises StudyError for choices that are not at least one, distinct, and scalars
    that the record can hold: 1 and 1.0 are one number, 1 and True cannot be told apart, nan and infinity are none.
    """

    name: str
    choices: tuple[Scalar, ...]
    doc: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise StudyError(f"a gene has a name, not {self.name!r}")
        given: object = self.choices
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise StudyError(f"gene {self.name!r}: choices are a tuple of values, not {given!r}")
        choices = tuple(_scalar(self.name, value) for value in given)
        if not choices:
            raise StudyError(f"gene {self.name!r} has no choices: give at least one")
        for index, value in enumerate(choices):
            if value in choices[:index]:
                same = choices[choices.index(value)]
                raise StudyError(
                    f"gene {self.name!r} has the choices {same!r} and {value!r}, which are the same: keep one"
                )
        object.__setattr__(self, "choices", choices)


def _scalar(name: str, value: object) -> Scalar:
    """A choice as the record holds it. Raises StudyError."""
    plain = getattr(value, "item", lambda: value)() if getattr(value, "ndim", None) == 0 else value
    if not isinstance(plain, str | int | float | bool):
        raise StudyError(f"gene {name!r} cannot have the choice {value!r}: choices are texts, numbers, True and False")
    try:
        digest(plain)
    except ValueError as error:
        raise StudyError(f"gene {name!r} cannot have the choice {value!r}: {error}") from None
    return plain


def _as_is(genome: Genome) -> Genome:
    return genome


@dataclass(frozen=True)
class Space:
    """The candidates an arena admits: typed genes, and a normal form for genomes that mean the same.

    `canonical` maps a complete genome to its normal form (genes without effect get their first choice).
    Raises StudyError for no genes, or two of one name.
    """

    genes: tuple[Gene, ...]
    canonical: Callable[[Genome], Genome] = _as_is

    def __post_init__(self) -> None:
        object.__setattr__(self, "genes", tuple(self.genes))
        names = [gene.name for gene in self.genes]
        if not names:
            raise StudyError("a space has at least one gene")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise StudyError(f"two genes of the space are called {twice!r}")

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`; missing genes get their first choice. Raises StudyError."""
        known = {gene.name: gene for gene in self.genes}
        if unknown := sorted(set(genome) - set(known)):
            raise StudyError(f"unknown gene {unknown[0]!r}: choose from {', '.join(known)}")
        full: dict[str, Scalar] = {gene.name: gene.choices[0] for gene in self.genes}
        for name, value in genome.items():
            full[name] = _choice(known[name], value)
        return dict(self.canonical(full))

    def key(self, genome: Genome) -> str:
        """Equal for genomes that are the same candidate: the id, as the normal form leaves nothing else alike."""
        return Candidate(self.validate(genome)).id

    def sample(self, rng: random.Random) -> Genome:
        """A genome with every gene drawn uniformly from its choices, in normal form."""
        return self.validate({gene.name: rng.choice(gene.choices) for gene in self.genes})

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """`genome` with one gene changed, in normal form.

        A change that the normal form undoes is drawn again, up to 50 times; after that the genome itself comes back.
        """
        start = self.validate(genome)
        movable = [gene for gene in self.genes if len(gene.choices) > 1]
        for _ in range(50 if movable else 0):
            gene = rng.choice(movable)
            value = rng.choice([choice for choice in gene.choices if choice != start[gene.name]])
            if (child := self.validate({**start, gene.name: value})) != start:
                return child
        return start

    def cross(self, one: Genome, other: Genome, rng: random.Random) -> Genome:
        """A child that has each gene of the normal forms of two from either, by a fair coin; in normal form.

        Uniform crossover: Syswerda, ICGA 1989.
        """
        both = (self.validate(one), self.validate(other))
        return self.validate({gene.name: rng.choice(both)[gene.name] for gene in self.genes})


def _choice(gene: Gene, value: Scalar) -> Scalar:
    """The choice that equals `value`; 1 and 1.0 are the same number (JSON keeps no difference), True is none."""
    for choice in gene.choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
    allowed = ", ".join(map(repr, gene.choices))
    raise StudyError(f"gene {gene.name!r} cannot be {value!r}: choose from {allowed}")


ID_DIGITS = 12
"""Of a candidate's digest, in its id."""


@dataclass(frozen=True)
class Candidate:
    """What is varied: a genome in normal form. Its id is the content address of the genome."""

    genome: Genome

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits, equal for equal genomes: a name, which who wants to can forge."""
        return self.digest[:ID_DIGITS]

    @property
    def digest(self) -> str:
        """SHA-256 of the genome, 64 hexadecimal digits: what permission for this and no other candidate is given to."""
        return _address(tuple((name, type(value), value) for name, value in self.genome.items()))


@lru_cache(maxsize=4096)
def _address(genes: tuple[tuple[str, type, Scalar], ...]) -> str:
    """The content address of a genome; one candidate stands in thousands of events. The type tells 1 from True."""
    return digest({name: value for name, _, value in genes})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a candidate costs by construction: parameters, recurrent state (floats), training FLOP of one trial."""

    parameters: int = 0
    state_floats: int = 0
    flop: float = 0.0


class CandidateSpace(Protocol):
    """The candidates that an arena admits: genomes of typed genes (`nouns.Space`), or source trees."""

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`. Raises StudyError when it is not admitted."""
        ...

    def key(self, genome: Genome) -> str:
        """A digest, equal for genomes that cannot behave differently."""
        ...

    def sample(self, rng: random.Random) -> Genome:
        """A random candidate, in normal form."""
        ...

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """`genome` with one random change, in normal form; itself when none was found."""
        ...


@runtime_checkable
class Crosses(Protocol):
    """What a space adds in which two candidates can have a child."""

    def cross(self, one: Genome, other: Genome, rng: random.Random) -> Genome:
        """A child that has all it has from `one` or `other`, in normal form; it may be either of them again."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One gene that differs: its value in the incumbent and in the candidate ("–" when it is absent or empty there)."""

    gene: str
    old: str
    new: str


def changes(candidate: Genome, incumbent: Genome) -> list[Change]:
    """The genes in which a candidate differs from its incumbent, in the candidate's order."""
    names = [*candidate, *(name for name in incumbent if name not in candidate)]
    return [
        Change(cut(name, 80), _value(incumbent, name), _value(candidate, name))
        for name in names
        if candidate.get(name) != incumbent.get(name)
    ]


def _value(genome: Genome, name: str) -> str:
    return cut(written(genome.get(name, "")), 80) or "–"


def change_text(candidate: Genome, incumbent: Genome, length: int = 60) -> str:
    """What a candidate changes in its incumbent, as plain text: spin 0→2, edge 0→4."""
    found = (f"{one.gene} {one.old}→{one.new}" for one in changes(candidate, incumbent))
    return cut(", ".join(found) or "no difference", length)


def genome_text(genome: Genome) -> str:
    """A genome in a line: name=value for each gene."""
    return " ".join(f"{name}={written(value)}" for name, value in genome.items()) or "no change"
