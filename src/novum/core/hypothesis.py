"""A hypothesis and its replications as the fold builds them. Read them; only the fold writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from novum.core import events as ev
from novum.core.judgement import Pair
from novum.core.nouns import Candidate
from novum.core.plans import Side


class Phase(StrEnum):
    """Where a hypothesis stands. Stale: screened against an incumbent that has been replaced since."""

    SCREENING = "screening"
    WAITING = "waiting"
    FAILED = "failed"
    STALE = "stale"
    SUPERSEDED = "superseded"
    CONFIRMING = "confirming"
    ESTIMATING = "estimating"
    CLOSED = "closed"


Runs = dict[Side, dict[int, ev.TrialFinished]]
"""Runs of both sides by the index of their seed."""


def _complete(runs: Runs) -> list[Pair]:
    candidate, incumbent = runs[Side.CANDIDATE], runs[Side.INCUMBENT]
    found: list[Pair] = []
    while (run := candidate.get(len(found))) and (other := incumbent.get(len(found))):
        found.append(Pair(run.score, other.score))
    return found


def no_runs() -> Runs:
    """No runs on either side."""
    return {side: {} for side in Side}


@dataclass
class Replication:
    """A finding that is tested again. Built by the fold."""

    rule: ev.ConfirmationOpened
    closed: ev.ReplicationClosed | None = None
    runs: Runs = field(default_factory=no_runs)
    judged: int = 0

    def pairs(self) -> list[Pair]:
        """Complete pairs in the order of their seeds, up to the first gap."""
        return _complete(self.runs)


@dataclass
class Hypothesis:
    """A registered claim and everything that has happened to it. Built by the fold."""

    registered: ev.HypothesisRegistered
    phase: Phase = Phase.SCREENING
    rule: ev.ConfirmationOpened | None = None
    verdict: ev.VerdictReached | None = None
    finding: ev.FindingRecorded | None = None
    runs: Runs = field(default_factory=no_runs)
    judged: int = 0
    replications: list[Replication] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The hypothesis' name, such as h7."""
        return self.registered.id

    @property
    def candidate(self) -> Candidate:
        """The candidate of the claim."""
        return self.registered.candidate

    @property
    def attempt(self) -> int:
        """Number of the current confirmation, 0 before the first."""
        return self.rule.attempt if self.rule else 0

    def pairs(self) -> list[Pair]:
        """Complete pairs in the order of their seeds, up to the first gap."""
        return _complete(self.runs)
