"""The regret arena as the loop sees it; nothing here imports numba."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property

from novum.arenas.regret.cost import cost
from novum.arenas.regret.language import language
from novum.arenas.regret.options import Options
from novum.arenas.regret.score import geometric, score
from novum.arenas.regret.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup
from novum.symbolic.program_space import ProgramSpace

SEARCHER = "novum.arenas.regret.bulk_search"


@dataclass(frozen=True)
class RegretArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> ProgramSpace:
        return ProgramSpace(language(self.options), SEARCHER, asdict(self.options))

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Relative exploitability under the arena's own options; those that the group carries are not trusted."""
        found = score(self.options, group.role, trial.seed, artefact)
        return Score(geometric(found), {"worst game": max(found)})

    def cost(self, genome: Genome) -> Cost:
        """State and FLOP, see `cost.cost`. Raises StudyError for what is no rule."""
        return cost(self.space.program(self.space.validate(genome)), self.options)
