"""Programs as candidates: one gene of text for each component."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from novum.core.model.candidate import Candidate, Genome, Setting
from novum.core.model.errors import StudyError
from novum.symbolic.normal_form import normal_form
from novum.symbolic.program import Program, read, written
from novum.symbolic.program_language import Language
from novum.symbolic.variation import crossed, mutated, random_program

TRIES = 1000
"""Of a mutation with effect: in an empty program most instructions have none."""


@dataclass(frozen=True)
class ProgramSpace:
    """The CandidateSpace port over the programs of a language; a component that a genome leaves out is empty."""

    language: Language
    searcher: str = ""
    """The module that searches it in bulk, with `search_options`."""
    search_options: Setting = field(default_factory=dict)

    @property
    def computes_only(self) -> bool:
        """Always: the operations of a language are total and see registers alone."""
        return True

    def program(self, genome: Genome) -> Program:
        """The program of a genome, as it is written. Raises StudyError."""
        names = [one.name for one in self.language.components]
        if unknown := sorted(set(genome) - set(names)):
            raise StudyError(f"unknown gene {unknown[0]!r}: choose from {', '.join(names)}")
        parts = []
        for component in self.language.components:
            text = genome.get(component.name, "")
            if not isinstance(text, str):
                raise StudyError(f"component {component.name!r} is a text of instructions, not {text!r}")
            parts.append(read(text, self.language, component))
        return Program(tuple(parts))

    def genome(self, program: Program) -> Genome:
        """The genome of a program, in normal form."""
        parts = normal_form(program, self.language).parts
        return {one.name: written(part) for one, part in zip(self.language.components, parts, strict=True)}

    def validate(self, genome: Genome) -> Genome:
        """The normal form of `genome`. Raises StudyError."""
        return self.genome(self.program(genome))

    def key(self, genome: Genome) -> str:
        """Equal for genomes of one normal form."""
        return Candidate(self.validate(genome)).id

    def sample(self, rng: random.Random) -> Genome:
        """A random program, in normal form."""
        return self.genome(random_program(self.language, rng))

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """One change that the normal form does not undo, after up to TRIES tries; otherwise the genome itself."""
        program = self.program(genome)
        start = self.genome(program)
        for _ in range(TRIES):
            if (child := self.genome(mutated(program, self.language, rng))) != start:
                return child
        return start

    def cross(self, one: Genome, other: Genome, rng: random.Random) -> Genome:
        """A child of two programs, in normal form."""
        return self.genome(crossed(self.program(one), self.program(other), self.language, rng))
