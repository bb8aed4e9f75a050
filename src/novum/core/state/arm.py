"""An arm: confirmations in lock-step on the same fresh seeds, against one set of runs of the incumbent."""

from __future__ import annotations

from dataclasses import dataclass, field

from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import ConfirmationOpened

BLOCK = 4
"""Pairs sent at once: a confirmation is judged pair by pair, but trained in groups."""


@dataclass
class Arm:
    """The incumbent's runs by the index of their seed, and the members. Built by the fold."""

    runs: dict[int, TrialFinished] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    """Hypotheses, the first one named in the arm."""
    block: int = -1
    """Number of the last block of pairs that was sent."""
    discoveries: int = 0
    """Acceptances of the campaign when that block was sent: thresholds move between blocks only."""


def arm_of(rule: ConfirmationOpened) -> str:
    """The arm of a confirmation, its own where it shares none."""
    return rule.arm or arm_id(rule.hypothesis, rule.attempt)


def arm_id(hypothesis: str, attempt: int) -> str:
    """The name of the arm that a confirmation leads."""
    return f"{hypothesis}:{attempt}"
