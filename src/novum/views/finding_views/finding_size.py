"""How large the effect of a finding is: from fresh pairs where there are any, else from those of its verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.gate.judge import BettingGate


@dataclass(frozen=True, slots=True)
class EffectSize:
    """effect in metric units with its interval at `level`.

    When the budget ended before there were fresh pairs, both come from all pairs, which overstates.
    """

    effect: float | None
    interval: tuple[float, float] | None
    level: float
    pairs: int
    fresh: bool
    """From pairs that the verdict did not use."""


def size_of(state: CampaignState, hypothesis: Hypothesis, rule: ConfirmationOpened) -> EffectSize:
    """The effect of a hypothesis that was confirmed under `rule`."""
    size = hypothesis.finding
    if size is not None and size.interval is not None:
        return EffectSize(size.effect, size.interval, size.level, size.pairs, True)
    known = BettingGate(state.study.gate).size(
        replace(rule, interval="sequence"), hypothesis.pairs(), 0, rule.threshold
    )
    return EffectSize(known.effect, known.interval, known.level, known.pairs, False)
