"""An arena without an experiment: scores are noise, so nothing is ever better than anything else."""

from __future__ import annotations

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Gene, Genome, Space
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Trial, TrialGroup


class NoopArena:
    """The Arena port; one trial a group, so that each pays for its own dispatch."""

    spec = ArenaSpec(
        name="noop",
        question="What does a trial cost that does nothing?",
        metric="noise",
        higher_is_better=True,
        resolution=0.001,
        program="noop_trial",
        group_size=1,
        tuning=({},),
        baseline={"a": 0, "b": 0, "c": 0},
    )
    space = Space(tuple(Gene(name, tuple(range(40))) for name in "abc"))

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:  # noqa: ARG002 the port's shape
        """The two bytes as a number in [0, 1)."""
        if len(artefact) != 2:
            raise ArtefactError(f"expected 2 bytes, got {len(artefact)}")
        return Score(int.from_bytes(artefact, "little") / 65536)

    def cost(self, genome: Genome) -> Cost:  # noqa: ARG002 all cost the same
        """Nothing."""
        return Cost()
