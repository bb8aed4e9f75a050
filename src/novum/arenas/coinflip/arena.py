"""The coin-flip arena: standard library only, a fraction of a millisecond per trial, every true effect known."""

from __future__ import annotations

from dataclasses import dataclass

from novum.arenas.coinflip.score import share_of_changes, share_of_heads
from novum.arenas.coinflip.space import SPACE, Options, options
from novum.arenas.coinflip.spec import CARD, CHANGES
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Cost, Genome, Setting, Space
from novum.core.model.metric import Score
from novum.core.model.trial import Trial, TrialGroup


@dataclass(frozen=True)
class CoinflipArena:
    """The Arena port."""

    options: Options

    @classmethod
    def build(cls, values: Setting) -> CoinflipArena:
        """The arena with a study's options. Raises StudyError."""
        return cls(options(values))

    @property
    def spec(self) -> ArenaSpec:
        """The arena's spec."""
        return CARD

    @property
    def space(self) -> Space:
        """Three genes with known effects and one without."""
        return SPACE

    def score(self, group: TrialGroup, trial: Trial, artefact: bytes) -> Score:  # noqa: ARG002 flips carry no data of their own
        """Share of heads, and of changes."""
        flips = max(1, round(self.options.flips * group.fidelity))
        return Score(share_of_heads(artefact, flips), {CHANGES: share_of_changes(artefact, flips)})

    def cost(self, genome: Genome) -> Cost:  # noqa: ARG002 all coins cost the same
        """A coin has one parameter and no state."""
        return Cost(parameters=1, flop=float(self.options.flips))
