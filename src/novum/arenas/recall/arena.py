"""The arena as the loop sees it; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from novum.arenas.recall.cost import admit, cost
from novum.arenas.recall.data import HELD_OUT, TRAIN
from novum.arenas.recall.options import Options
from novum.arenas.recall.score import examples, marks
from novum.arenas.recall.space import SPACE
from novum.arenas.recall.spec import SPEC, WHOLE, chance, resolution, transfers
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Space
from novum.core.model.errors import StudyError
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup


@dataclass(frozen=True)
class RecallArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @property
    def spec(self) -> ArenaSpec:
        return replace(
            SPEC,
            resolution=resolution(self.options),
            floor=chance(self.options),
            transfers=transfers(self.options),
        )

    @property
    def space(self) -> Space:
        return SPACE

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Accuracy in [0, 1] under the arena's own options; those that the group carries are not trusted."""
        del group
        right = marks(self.options, trial.seed, artefact)
        return Score(float(right.mean()), {WHOLE: float(right.all(axis=1).mean())})

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the training sequences and of the held-out ones."""
        steps = max(1, round(self.options.steps * group.fidelity))
        return {
            "train": frozenset(examples(self.options, trial.seed, TRAIN, steps * self.options.batch)),
            "scored": frozenset(examples(self.options, trial.seed, HELD_OUT, self.options.held_out)),
        }

    def cost(self, genome: Genome) -> Cost:
        """Parameters, state floats per sequence and matrix FLOP of one full-length trial; see `cost.cost`.

        Raises StudyError for a genome that the options do not admit (width, max_state).
        """
        if reason := admit(genome, self.options):
            raise StudyError(reason)
        return cost(genome, self.options)
