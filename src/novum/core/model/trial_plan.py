"""What a trial group is for: its purpose, its side of the pair, and its members before seeds are filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from novum.core.model.candidate import Candidate, Setting
from novum.core.model.run_progress import Look


class Purpose(StrEnum):
    """What a trial is for.

    Only `confirm` trials are evidence for a claim; `estimate` trials give its size, `follow_up` trials how far it goes.
    """

    SCREEN = "screen"
    CALIBRATE = "calibrate"
    CONFIRM = "confirm"
    ESTIMATE = "estimate"
    FOLLOW_UP = "follow_up"


class Aim(StrEnum):
    """What a finding is asked: whether it holds again, and elsewhere, by which part, and on which other metric."""

    REPLICATE = "replicate"
    TRANSFER = "transfer"
    ABLATE = "ablate"
    METRIC = "metric"


class Side(StrEnum):
    """Which side of a pair a trial belongs to."""

    CANDIDATE = "x"
    INCUMBENT = "b"


@dataclass(frozen=True, slots=True)
class Member:
    """One trial of a plan: the index of its seed within the plan's purpose, and its setting."""

    index: int
    setting: Setting


@dataclass(frozen=True, slots=True)
class Plan:
    """A trial group before its seeds are filled in."""

    id: str
    purpose: Purpose
    subject: str
    """The hypothesis it serves, or the candidate's id for screening and calibration. attempt counts the confirmations
    (or follow-ups) of a hypothesis from 1."""
    side: Side
    candidate: Candidate
    members: tuple[Member, ...]
    fidelity: float = 1.0
    attempt: int = 0
    options: Setting = field(default_factory=dict)
    """Changes to the study's own, for transfers."""
    arm: str = ""
    """Whose fresh seeds it runs on, where confirmations share them."""
    looks: tuple[Look, ...] = ()
    """When its progress is judged, for screening alone."""


def together(plan: Plan) -> str:
    """The name under which groups are held to one kind of machine: those whose trials are paired; else empty."""
    if plan.purpose in (Purpose.SCREEN, Purpose.CALIBRATE):
        return ""
    name = plan.arm or f"{plan.subject}:{plan.attempt}"
    return f"follow-up {name}" if plan.purpose is Purpose.FOLLOW_UP else name


ASKED = {"replicate": "again, on fresh seeds", "transfer": "elsewhere:", "ablate": "without", "metric": "on"}
"""How a follow-up is introduced, by its aim."""

_SIDES = {Side.CANDIDATE: "candidate", Side.INCUMBENT: "incumbent"}


def purpose_text(plan: Plan) -> str:
    """What a trial group is for, in words."""
    verb = str(plan.purpose).replace("_", " ")
    if plan.subject == plan.candidate.id:
        return f"{verb} candidate {plan.subject}"
    return f"{verb} {plan.subject}, {_SIDES[plan.side]}"
