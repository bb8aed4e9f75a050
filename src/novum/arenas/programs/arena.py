"""The programs arena as the loop sees it; nothing here imports numba."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property

from novum.arenas.programs.cost import cost
from novum.arenas.programs.language import language
from novum.arenas.programs.options import Options
from novum.arenas.programs.score import score
from novum.arenas.programs.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup
from novum.symbolic.program_space import ProgramSpace

SEARCHER = "novum.arenas.programs.bulk_search"


@dataclass(frozen=True)
class ProgramsArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> ProgramSpace:
        return ProgramSpace(language(self.options), SEARCHER, asdict(self.options))

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Fitness in [0, 1] under the arena's own options; those that the group carries are not trusted."""
        return score(self.options, group.role, trial.seed, artefact)

    def cost(self, genome: Genome) -> Cost:
        """State and FLOP of one life, see `cost.cost`. Raises StudyError for what is no program."""
        return cost(self.space.program(self.space.validate(genome)), self.space.language, self.options)
