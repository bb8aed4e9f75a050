"""The sequence arena as the loop sees it; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from novum.arenas.sequence.cost import cost
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.score import digests, held_out_sequences, scores, training_sequences
from novum.arenas.sequence.space import StackSpace, space
from novum.arenas.sequence.spec import metric_name, spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup


@dataclass(frozen=True)
class SequenceArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> StackSpace:
        return space(self.options)

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """The mean over the tasks under the arena's own options; those that the group carries are not trusted."""
        each = scores(self.options, group.role, trial.seed, artefact)
        names = [metric_name(self.options, one.name) for one in self.options.named]
        others = dict(zip(names, each, strict=True)) if len(each) > 1 else {}
        return Score(sum(each) / len(each), others)

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the training sequences of the first task and of its held-out ones."""
        one = self.options.named[0]
        steps = max(1, round(self.options.steps * group.fidelity))
        read = training_sequences(self.options, one, group.role, trial.seed, 0, min(steps, 16) * self.options.batch)
        held = held_out_sequences(self.options, one, group.role, trial.seed)
        return {"train": frozenset(digests(read)), "scored": frozenset(digests(held))}

    def cost(self, genome: Genome) -> Cost:
        """Parameters, state floats per sequence and FLOP of one full-length trial; see `cost.cost`.

        Raises StudyError for a genome that cannot be made as small as `equal` demands.
        """
        return cost(self.space.validate(genome), self.options)
