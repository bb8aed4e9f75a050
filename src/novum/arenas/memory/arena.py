"""The memory arena as the loop sees it; nothing here imports numba."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property

from novum.arenas.memory.cost import cost
from novum.arenas.memory.language import language
from novum.arenas.memory.options import Options
from novum.arenas.memory.score import score, total
from novum.arenas.memory.space import MemorySpace
from novum.arenas.memory.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup

SEARCHER = "novum.arenas.memory.bulk_search"


@dataclass(frozen=True)
class MemoryArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> MemorySpace:
        return MemorySpace(language(self.options), SEARCHER, asdict(self.options), self.options)

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Areas under recall in [0, 1] under the arena's own options; those that the group carries are not trusted."""
        found = score(self.options, group.role, trial.seed, artefact)
        return Score(total(self.options, found), found)

    def cost(self, genome: Genome) -> Cost:
        """State and FLOP, see `cost.cost`. Raises StudyError for what is no rule, or keeps or costs too much."""
        return cost(self.space.program(self.space.validate(genome)), self.options)
