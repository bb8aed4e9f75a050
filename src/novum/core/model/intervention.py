"""What oversight may say and do: alarms, steps against them, and remarks of a critic."""

from __future__ import annotations

from dataclasses import dataclass
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
class Remark:
    """One thing a critic noticed."""

    check: str
    """The name of the check."""
    words: str
    refuses: bool = False
    """Whether it is reason enough to say no."""
