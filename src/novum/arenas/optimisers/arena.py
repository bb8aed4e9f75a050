"""The optimisers arena as the loop sees it; nothing here imports torch or scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

from novum.arenas.digits.data import FILE_DIGEST
from novum.arenas.optimisers.cost import cost
from novum.arenas.optimisers.data import text
from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.score import marks, score
from novum.arenas.optimisers.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome
from novum.core.model.metric import Score
from novum.core.model.trial import Role, Trial, TrialGroup
from novum.symbolic.program_space import ProgramSpace

SEARCHER = "novum.arenas.optimisers.bulk.bulk_search"
"""Of quadratics alone: a rule descends one in the time of a few steps of a network."""


@dataclass(frozen=True)
class OptimisersArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> ProgramSpace:
        searcher = SEARCHER if self.options.task == "quadratic" else ""
        return ProgramSpace(language(self.options), searcher, asdict(self.options))

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Loss or accuracy at the end, under the arena's own options; those that the group carries are not trusted.

        Raises ArtefactError, or MissingExtra where the file with the digits is missing.
        """
        return Score(score(self.options, group.role, trial.seed, artefact))

    def per_example(self, group: TrialGroup, trial: Trial, artefact: bytes, role: Role) -> Sequence[float]:
        """1.0 for every digit of the part of `role` that was read correctly, else 0.0; always in the same order.

        The other tasks draw anew for every seed, and have no such order.
        """
        del group
        return [float(one) for one in marks(self.options, role, trial.seed, artefact)]

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the digits as text, or of the files whose bytes are read."""
        if self.options.task == "bytes":
            parts = {role.value: text(self.options, role).digest for role in Role}
            return {f"standard library, {name}": found for name, found in parts.items()}
        return {"digits.csv": FILE_DIGEST} if self.options.task == "digits" else {}

    def cost(self, genome: Genome) -> Cost:
        """Parameters, numbers kept, FLOP of a full trial, see `cost.cost`. Raises StudyError for what is no program."""
        return cost(self.space.program(self.space.validate(genome)), self.space.language, self.options)
