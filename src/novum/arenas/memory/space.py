"""The rules that a study admits: programs within its bounds on state and cost."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from novum.arenas.memory.cost import hold_bounds
from novum.arenas.memory.options import Options
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.symbolic.program import Program
from novum.symbolic.program_space import TRIES, ProgramSpace


@dataclass(frozen=True)
class MemorySpace(ProgramSpace):
    """The CandidateSpace port; what keeps or costs too much is refused."""

    options: Options = field(default_factory=Options)

    def genome(self, program: Program) -> Genome:
        """The genome of a program, in normal form. Raises StudyError beyond the bounds."""
        hold_bounds(program, self.options)
        return super().genome(program)

    def sample(self, rng: random.Random) -> Genome:
        """A random program within the bounds: drawn again until it is; the empty one after 50 draws."""
        for _ in range(TRIES):
            try:
                return super().sample(rng)
            except StudyError:
                continue
        return self.validate({})

    def mutate(self, genome: Genome, rng: random.Random) -> Genome:
        """A change that stays within the bounds, and that the normal form does not undo."""
        for _ in range(TRIES):
            try:
                return super().mutate(genome, rng)
            except StudyError:
                continue
        return self.validate(genome)

    def cross(self, one: Genome, other: Genome, rng: random.Random) -> Genome:
        """A child of two programs; the first of them where no child is within the bounds."""
        for _ in range(TRIES):
            try:
                return super().cross(one, other, rng)
            except StudyError:
                continue
        return self.validate(one)
