"""Coins with known chances: an arena in one file, standard library only, whose true effects are known exactly.

The instrument that shows whether the lab's claims are true, and the pattern for an arena of one's own. A trial flips a
coin and hands over the flips, not their count. Unit of the comments: one sd of the difference of two runs of 100 flips
of a fair coin, 0.0707.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Cost, Gene, Genome, Space
from novum.core.model.metric import Metric, Score
from novum.core.model.trial import ArtefactError, Trial, TrialGroup, TrialOutput

CHANGES = "share of changes"

EFFECTS: dict[str, tuple[float, ...]] = {
    "metal": (0.0, 0.0354, 0.0, -0.0354, 0.0707, 0.0),  # 0.5 sd, -0.5 sd, 1 sd
    "edge": (0.0, -0.0354, 0.0, 0.0, 0.0354, 0.0),
    "spin": (0.0, 0.0, 0.1414, -0.0707, 0.0, 0.0),  # 2 sd, -1 sd
}
SHADES = 64

SPACE = Space(
    genes=(
        *(Gene(name, tuple(range(len(EFFECTS[name]))), f"changes the chance of heads: {name}") for name in EFFECTS),
        Gene("shade", tuple(range(SHADES)), "changes nothing at all"),
    )
)

SPEC = ArenaSpec(
    name="coinflip",
    question="Which way of making a coin shows heads most often?",
    metric="share of heads",
    higher_is_better=True,
    resolution=0.01,
    program="novum.arenas.coinflip",
    group_size=8,
    tuning=({},),
    baseline={gene.name: gene.choices[0] for gene in SPACE.genes},
    floor=0.0,
    ceiling=1.0,
    bounds=(0.0, 1.0),
    controls=Controls(known={"spin": 2}, null={"shade": 1}, null_options={"world": "null"}),
    metrics=(Metric(CHANGES, higher_is_better=True, resolution=0.01),),
    transfers=(Transfer("ten times as many flips", {"flips": 1000}), Transfer("fair coins", {"world": "null"})),
    summary="Coins with known chances: the instrument that shows whether the lab's claims are true.",
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the coinflip arena."""

    world: Literal["mixed", "null"] = "mixed"
    """`mixed` (EFFECTS hold) or `null` (every coin is fair)."""
    flips: Annotated[int, Ge(1), Le(1_000_000)] = 100
    """Per trial."""


@dataclass(frozen=True)
class CoinflipArena:
    """The Arena port: three genes with known effects and one without."""

    options: Options = field(default_factory=Options)

    @property
    def spec(self) -> ArenaSpec:
        return SPEC

    @property
    def space(self) -> Space:
        return SPACE

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:  # noqa: ARG002 flips carry no data
        """Share of heads, and of changes."""
        flips = max(1, round(self.options.flips * group.fidelity))
        return Score(share_of_heads(artefact, flips), {CHANGES: share_of_changes(artefact, flips)})

    def cost(self, genome: Genome) -> Cost:  # noqa: ARG002 all coins cost the same
        """A coin has one parameter and no state."""
        return Cost(parameters=1, flop=float(self.options.flips))


def run(group: TrialGroup) -> Sequence[TrialOutput]:
    """The worker's side: the flips as bits, first flip in the lowest bit. Coins share no randomness."""
    chosen = Options(**group.options)  # type: ignore[arg-type]  # the lab has held them to their types
    p, flips = chance(group.candidate.genome, chosen.world), max(1, round(chosen.flips * group.fidelity))
    name = group.candidate.id
    return [TrialOutput(trial.id, artefact=_flips(f"{trial.seed}:{name}", p, flips)) for trial in group.trials]


def chance(genome: Genome, world: str) -> float:
    """The true chance of heads."""
    if world == "null":
        return 0.5
    return 0.5 + sum(levels[int(genome[name])] for name, levels in EFFECTS.items())


def share_of_heads(artefact: bytes, flips: int) -> float:
    """Heads / flips in [0, 1]. Raises ArtefactError unless there are exactly `flips` flips."""
    bits = int.from_bytes(artefact, "little")
    if len(artefact) != (flips + 7) // 8 or bits >> flips:
        raise ArtefactError(f"expected {flips} flips in {(flips + 7) // 8} bytes, got {len(artefact)} bytes")
    return bits.bit_count() / flips


def share_of_changes(artefact: bytes, flips: int) -> float:
    """Share of neighbouring flips that differ, in [0, 1]; 2p(1 - p) in expectation, 0 for a single flip."""
    bits = int.from_bytes(artefact, "little")
    changes = (bits ^ (bits >> 1)) & ((1 << (flips - 1)) - 1)
    return changes.bit_count() / max(1, flips - 1)


def _flips(stream: str, p: float, flips: int) -> bytes:
    rng = random.Random(stream)
    bits = sum(1 << number for number in range(flips) if rng.random() < p)
    return bits.to_bytes((flips + 7) // 8, "little")
