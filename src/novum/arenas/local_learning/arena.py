"""The arena as the loop sees it; nothing here imports torch or scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from novum.arenas.digits.data import FILE_DIGEST
from novum.arenas.local_learning.cost import cost
from novum.arenas.local_learning.data import raw
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.score import digests, marks
from novum.arenas.local_learning.space import space
from novum.arenas.local_learning.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Space
from novum.core.model.metric import Score
from novum.core.model.trial import Role, Trial, TrialGroup


@dataclass(frozen=True)
class LocalLearningArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> Space:
        return space(self.options)

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Accuracy in [0, 1] under the arena's own options; those that the group carries are not trusted.

        Raises MissingExtra where the file with the digits is missing.
        """
        return Score(float(marks(self.options, group.role, trial.seed, artefact).mean()))

    def per_example(self, group: TrialGroup, trial: Trial, artefact: bytes, role: Role) -> Sequence[float]:
        """1.0 for every digit of the part of `role` that was read correctly, else 0.0; always in the same order.

        MNIST-1D is drawn anew for every seed, and has no such order.
        """
        del group
        return [float(one) for one in marks(self.options, role, trial.seed, artefact)]

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the examples learned from and of those scored under `group.role`."""
        learned, scored = raw(self.options, group.role, trial.seed)
        return {"train": digests(learned), "scored": digests(scored)}

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the digits as text, where they are read."""
        return {"digits.csv": FILE_DIGEST} if self.options.task == "digits" else {}

    def cost(self, genome: Genome) -> Cost:
        """Parameters, and FLOP of the training of one full trial; see `cost.cost`."""
        return cost(genome, self.options)
