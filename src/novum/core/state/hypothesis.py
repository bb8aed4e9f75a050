"""A hypothesis and its follow-ups as the fold builds them. Read them; only the fold writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from novum.core.events.evidence_account import TailRefuted
from novum.core.events.promises import Question
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import TrialFinished
from novum.core.events.verdicts import (
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    VerdictReached,
)
from novum.core.model.candidate import Candidate
from novum.core.model.metric import COMPUTE, RESOURCES
from novum.core.model.trial_plan import Aim, Side
from novum.core.model.verdict import Pair, Verdict
from novum.core.state.trial_costs import compute_of


class Phase(StrEnum):
    """Where a hypothesis stands. Stale: screened against an incumbent that has been replaced since.

    Quarantined: too good to be true, and confirmed only if the policy lets it. Withdrawn: it will not be confirmed.
    """

    SCREENING = "screening"
    WAITING = "waiting"
    FAILED = "failed"
    STALE = "stale"
    SUPERSEDED = "superseded"
    CONFIRMING = "confirming"
    ESTIMATING = "estimating"
    CLOSED = "closed"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"


Runs = dict[Side, dict[int, TrialFinished]]
"""Runs of both sides by the index of their seed."""


def _complete(runs: Runs, rule: ConfirmationOpened, gpus: int) -> list[Pair]:
    """Pairs up to the first gap. A measurement that a group's trials share counts once, at the first of its pairs.

    gpus: how many a trial group holds, which makes its compute GPU seconds.
    """
    candidate, incumbent = runs[Side.CANDIDATE], runs[Side.INCUMBENT]
    sizes = Counter(run.group for side in (candidate, incumbent) for run in side.values()) if gpus else Counter[str]()
    found: list[Pair] = []
    groups: set[str] = set()
    while (run := candidate.get(len(found))) and (other := incumbent.get(len(found))):
        new = groups.isdisjoint((run.group, other.group))
        groups |= {run.group, other.group}
        others = {
            guard.metric: (
                _resource(run, guard.metric, sizes[run.group], gpus),
                _resource(other, guard.metric, sizes[other.group], gpus),
            )
            for guard in rule.guards
            if new or guard.metric not in RESOURCES
        }
        found.append(Pair(reading(run, rule.metric), reading(other, rule.metric), others))
    return found


def _resource(run: TrialFinished, metric: str, members: int, gpus: int) -> float | None:
    """The reading of a guardrail's metric, compute among them. members: trials of its group that are known."""
    if metric != COMPUTE:
        return reading(run, metric)
    return None if run.score is None else compute_of(run, max(1, members), gpus)


def reading(run: TrialFinished, metric: str) -> float | None:
    """What a trial says of a metric: a resource (not compute), a further metric of the spec, or the arena's own."""
    if run.score is None:
        return None
    if metric in RESOURCES:
        return float(getattr(run, metric))
    return run.others.get(metric, run.score)


def no_runs() -> Runs:
    """No runs on either side."""
    return {side: {} for side in Side}


@dataclass
class FollowUp:
    """A finding that is asked something further. Built by the fold."""

    opened: FollowUpOpened
    gpus: int = 0
    """How many GPUs a trial group holds."""
    closed: FollowUpClosed | None = None
    runs: Runs = field(default_factory=no_runs)
    judged: int = 0

    @property
    def rule(self) -> ConfirmationOpened:
        """The registered rule."""
        return self.opened.rule

    @property
    def paid(self) -> bool:
        """Whether its stake came from the evidence ledger."""
        return self.rule.position > 0

    def pairs(self) -> list[Pair]:
        """Complete pairs in the order of their seeds, up to the first gap."""
        return _complete(self.runs, self.rule, self.gpus)


@dataclass
class Hypothesis:
    """A registered claim and everything that has happened to it. Built by the fold."""

    registered: HypothesisRegistered
    ground: Hypothesis | None = None
    """The finding by which its incumbent had become incumbent; None where that was the baseline."""
    phase: Phase = Phase.SCREENING
    rule: ConfirmationOpened | None = None
    verdict: VerdictReached | None = None
    finding: FindingRecorded | None = None
    runs: Runs = field(default_factory=no_runs)
    judged: int = 0
    follow_ups: list[FollowUp] = field(default_factory=list)
    tail_refuted: TailRefuted | None = None
    """That its later runs refuted it."""
    distrusted: str = ""
    """Why its runs cannot be believed."""
    promised: tuple[Question, ...] | None = None
    """What it will be asked; None while nothing was said about that."""
    withdrawn: str = ""
    """Why it was closed before any confirming trial."""
    gpus: int = 0
    """How many GPUs a trial group holds."""

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
        return _complete(self.runs, self.rule, self.gpus) if self.rule else []

    @property
    def retracted(self) -> str:
        """Why a finding no longer stands, or nothing: a replication or later runs refuted it, or its ground."""
        if self.distrusted:
            return self.distrusted
        if any(one.closed and one.closed.verdict is Verdict.REFUTED for one in self.replications):
            return "its replication was refuted"
        if self.tail_refuted:
            return "its later runs refute it"
        if self.ground and self.ground.retracted:
            return f"built on {self.ground.id}, which was retracted"
        return ""

    @property
    def nearly(self) -> bool:
        """Whether it stopped with the evidence that a single test would need, short of the campaign's threshold."""
        if self.rule is None or self.verdict is None or self.verdict.verdict is not Verdict.INCONCLUSIVE:
            return False
        return self.verdict.e_value >= 1.0 / self.rule.alpha

    @property
    def replications(self) -> list[FollowUp]:
        """The follow-ups that ask whether the finding holds on fresh seeds."""
        return [one for one in self.follow_ups if one.opened.aim is Aim.REPLICATE]
