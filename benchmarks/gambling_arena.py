"""Candidates that gain a little nearly always and lose much rarely: an arena whose true means are known exactly.

Unit: one sd of a difference of two runs of an honest candidate. A score is a number of units; in the quiet world the
baseline scores the same on every seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Gene, Genome, Space
from novum.core.model.metric import Score
from novum.core.model.trial import ArtefactError, Trial, TrialGroup, TrialOutput

HALF = 0.5**0.5
SHADES = 64

World = Literal["zero", "negative", "quiet", "betting", "honest"]


@dataclass(frozen=True, slots=True)
class Gamble:
    """A loss of `loss` in a `share` of runs, else a gain that makes the mean `mean`; noise: sd of a single run."""

    loss: float
    share: float
    mean: float
    noise: float

    @property
    def usual(self) -> float:
        """What a run gains where nothing is lost."""
        return (self.mean + self.share * self.loss) / (1.0 - self.share)


GAMBLES: dict[str, Gamble] = {
    "zero": Gamble(10.0, 0.05, 0.0, HALF),
    "negative": Gamble(10.0, 0.10, -0.2, HALF),
    "quiet": Gamble(0.09, 0.10, 0.0, 0.0),
    "betting": Gamble(4.2, 0.05, -0.2, 0.02),
    "honest": Gamble(0.0, 0.0, 0.0, HALF),
}
"""In the betting world a candidate multiplies the stake of a losing bet by ten: the mean is that of stake 10."""

BOUNDS = {"zero": 15.0, "negative": 15.0, "quiet": 0.1, "betting": 4.5, "honest": 6.0}
"""The largest loss there can be, as a study would state it for a claim of the mean."""

HONEST = (0.0, 0.5, 1.0, 2.0)
"""True gains that the second gene gives, where the world has any."""

SPACE = Space(
    genes=(
        Gene("gamble", (0, 1), "gain a little nearly always, lose much rarely"),
        Gene("skill", tuple(range(len(HONEST))), "a true gain"),
        Gene("shade", tuple(range(SHADES)), "changes nothing at all"),
    )
)

SPEC = ArenaSpec(
    name="gambling",
    question="Which candidate gains, rarely losing all of it again?",
    metric="units",
    higher_is_better=True,
    resolution=0.001,
    program="gambling_arena",
    group_size=8,
    tuning=({},),
    baseline={"gamble": 0, "skill": 0, "shade": 0},
    summary="Candidates that gamble: the instrument for claims of the mean and of the typical gain.",
)


@dataclass(frozen=True, slots=True)
class Options:
    """world: which gamble; skilled: whether true gains exist beside it."""

    world: World = "zero"
    skilled: bool = False


@dataclass(frozen=True)
class GamblingArena:
    """The Arena port."""

    options: Options = field(default_factory=Options)

    @property
    def spec(self) -> ArenaSpec:
        return SPEC

    @property
    def space(self) -> Space:
        return SPACE

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:  # noqa: ARG002 the number is the score
        """The units that a run gained."""
        try:
            return Score(float(json.loads(artefact)))
        except (TypeError, ValueError) as error:
            raise ArtefactError("no number") from error

    def cost(self, genome: Genome) -> Cost:  # noqa: ARG002 all cost the same
        return Cost(parameters=1)


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """The worker's side: one number a trial."""
    chosen = Options(**group.options)  # type: ignore[arg-type]
    return [TrialOutput(trial.id, artefact=_drawn(group, trial, chosen)) for trial in group.trials]


def true_mean(genome: Genome, options: Options) -> float:
    """The expected score of a candidate."""
    skill = HONEST[int(genome["skill"])] * unit(options) if options.skilled else 0.0
    gamble = GAMBLES[options.world]
    return skill + (gamble.mean if genome["gamble"] else _stake_of_one(options).mean)


def unit(options: Options) -> float:
    """One sd of a difference in the score, or what stands for it where the baseline has no noise."""
    return 0.02 if options.world == "quiet" else 0.05 if options.world == "betting" else 1.0


def _stake_of_one(options: Options) -> Gamble:
    """The baseline: honest, but for the betting world, where it holds the same bet at a tenth of the stake."""
    gamble = GAMBLES[options.world]
    if options.world == "betting":
        return Gamble(gamble.loss / 10, gamble.share, gamble.mean / 10, gamble.noise)
    return Gamble(0.0, 0.0, 0.0, gamble.noise)


def _drawn(group: TrialGroup, trial: Trial, chosen: Options) -> bytes:
    rng = random.Random(f"{trial.seed}:{group.candidate.id}")
    genome = group.candidate.genome
    gamble = GAMBLES[chosen.world] if genome["gamble"] else _stake_of_one(chosen)
    value = -gamble.loss if rng.random() < gamble.share else gamble.usual
    value += gamble.noise * rng.gauss(0.0, 1.0)
    if chosen.skilled:
        value += HONEST[int(genome["skill"])] * unit(chosen)
    return json.dumps(value).encode()
