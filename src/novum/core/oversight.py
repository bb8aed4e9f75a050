"""The events of oversight: what the watchdog did and on which evidence, what a critic remarked, what was withdrawn.

Part of the vocabulary of `novum.core.events`, which is where they are imported from. None of them is evidence for or
against a claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Alarm(StrEnum):
    """What the watchdog looks for."""

    DIVERGENCE = "divergence"
    STALL = "stall"
    PLATEAU = "plateau"
    RUNAWAY_COST = "runaway_cost"
    TOO_GOOD = "too_good"
    FAILURE_RATE = "failure_rate"
    DEAD_END = "dead_end"
    DISK = "disk"
    MEMORY = "memory"


class Step(StrEnum):
    """What it does about it.

    note: nothing but say so. rest: an author's proposals are not taken until proposal `until`. explore: until then
    every second proposal is the control's. quarantine: a hypothesis is confirmed only if the policy lets it. withdraw:
    it is not confirmed at all. give_up: a trial group is not waited for any longer, and its trials are run again. hold:
    nothing new is started. release: the end of a hold or of a quarantine. stop: the session ends.
    """

    NOTE = "note"
    REST = "rest"
    EXPLORE = "explore"
    QUARANTINE = "quarantine"
    WITHDRAW = "withdraw"
    GIVE_UP = "give_up"
    HOLD = "hold"
    RELEASE = "release"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Intervened:
    """The watchdog did something. subject: an author, a hypothesis or a trial group; empty for the lab as a whole.

    evidence: the figures behind it, by name. until: the number of a proposal, for steps that end by themselves.
    """

    alarm: Alarm
    step: Step
    subject: str
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    until: int = 0


@dataclass(frozen=True, slots=True)
class HypothesisWithdrawn:
    """Closed before any confirming trial: its budget is spent, it costs too much, or it may not be confirmed."""

    hypothesis: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing a critic noticed. check: the name of the check; refuses: whether it is reason enough to say no."""

    check: str
    words: str
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class ProposalReviewed:
    """What the critic remarked on a proposal before any money was spent on it."""

    number: int
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Commented:
    """A model's comment on a hypothesis or a proposal: words, which nothing is decided or measured by.

    about: a hypothesis such as h7, or "proposal 12". request: the request to the model that it answers.
    """

    about: str
    author: str
    text: str
    request: str = ""
