"""Requests of people and agents to a running lab, before anything of them is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Act(StrEnum):
    """What somebody outside may ask of a running lab."""

    PROPOSE = "propose"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    APPROVE = "approve"
    DENY = "deny"
    EXPORT = "export"
    DRAIN = "drain"
    """Give a machine no more trials; `now` in the body: take away what it has."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: who asks for what. `body` is anybody's data, checked here."""

    id: str
    act: Act
    author: str
    body: Mapping[str, Any]
