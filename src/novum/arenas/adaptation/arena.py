"""The arena as the loop sees it; nothing here imports torch or scikit-learn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from novum.arenas.adaptation import tables, texts
from novum.arenas.adaptation.cost import cost
from novum.arenas.adaptation.episodes import exam, lesson
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import score
from novum.arenas.adaptation.space import space
from novum.arenas.adaptation.spec import spec
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Space
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup


@dataclass(frozen=True)
class AdaptationArena:
    """The Arena port for one set of options."""

    options: Options = field(default_factory=Options)

    @cached_property
    def spec(self) -> ArenaSpec:
        return spec(self.options)

    @cached_property
    def space(self) -> Space:
        return space(self.options)

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:
        """Risk over the Bayes risk, accuracy or bits; the group's options are not trusted, the arena's count."""
        kept = cost(group.candidate.genome, self.options).state_floats
        return score(self.options, group.role, trial.seed, artefact, kept)

    def examples(self, group: TrialGroup, trial: Trial) -> Mapping[str, Set[str]]:
        """Digests of what the first tasks show beforehand, and of the questions of the exam."""
        beforehand, _ = lesson(self.options, trial.seed, 0)
        asked = exam(self.options, group.role, trial.seed).asked
        if self.options.text:  # eight characters occur everywhere, a piece of text does not
            return {"train": _digests(beforehand.inputs[:, :, -1]), "scored": _digests(asked[:, :, -1])}
        return {"train": _digests(beforehand.inputs), "scored": _digests(asked)}

    def data_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the tables or texts, where they are read."""
        if self.options.text:
            return texts.data_hashes()
        return tables.data_hashes() if self.options.classes else {}

    def cost(self, genome: Genome) -> Cost:
        """See `cost.cost`."""
        return cost(genome, self.options)


def _digests(inputs: tables.Floats) -> frozenset[str]:
    """A digest of each example."""
    return frozenset(hashlib.sha256(row.tobytes()).hexdigest() for row in inputs.reshape(-1, inputs.shape[-1]))
