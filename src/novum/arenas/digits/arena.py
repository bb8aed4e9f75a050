"""The arena as the loop sees it; nothing here imports scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from novum.arenas.digits.cost import cost
from novum.arenas.digits.data import FILE_DIGEST, PARTS, POOL, sample
from novum.arenas.digits.options import Options
from novum.arenas.digits.score import digests, marks, worst
from novum.arenas.digits.space import SPACE, Design
from novum.arenas.digits.spec import SPEC, WORST, transfers
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Space
from novum.core.model.metric import Score
from novum.core.model.trial import Role, Trial, TrialGroup


@dataclass(frozen=True)
class DigitsArena:
    """The Arena port for one set of options.

    Scores are of fixed examples, so besides the port it says which they are (`examples`) and how each was answered
    (`per_example`): a holdout compares two candidates example by example.
    """

    options: Options = field(default_factory=Options)

    @property
    def spec(self) -> ArenaSpec:
        return replace(SPEC, transfers=transfers(self.options))

    @property
    def space(self) -> Space:
        return SPACE

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Accuracy in [0, 1] on the part of `group.role`, under the arena's own options; the group's are not trusted.

        Raises MissingExtra where the file with the digits is missing.
        """
        right, truth = marks(self.options, trial.seed, artefact, group.role)
        return Score(float(right.mean()), {WORST: worst(right, truth)})

    def per_example(self, group: TrialGroup, trial: Trial, artefact: bytes, role: Role) -> Sequence[float]:
        """1.0 for every image of the part of `role` that was read correctly, else 0.0; always in the same order.

        `role` counts here, not `group.role`; the mean is what `score` says for a group of that role. Raises as `score`.
        """
        del group
        right, _ = marks(self.options, trial.seed, artefact, role)
        return [float(one) for one in right]

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of the images learned from (not of their copies) and of those scored under `group.role`."""
        draw = Design.of(group.candidate.genome).draw
        places = sample(trial.seed, draw, self.options.rows(group.fidelity))
        return {"train": digests(POOL[places]), "scored": digests(PARTS[group.role])}

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the digits as text; data of any other hash are refused where they are read."""
        return {"digits.csv": FILE_DIGEST}

    def cost(self, genome: Genome) -> Cost:
        """Parameters at most, see `cost.cost`. Raises StudyError for what is no genome."""
        return cost(genome, self.options)
