"""The records that concern each hypothesis, which an interpretation is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from novum.core.events.campaign import CampaignOpened, IncumbentChanged
from novum.core.events.event import Record
from novum.core.events.evidence_account import TailRefuted
from novum.core.events.models_and_people import ModelAsked
from novum.core.events.oversight import Commented, Intervened, ProposalReviewed
from novum.core.events.proposals import HypothesisRegistered, HypothesisSuperseded, HypothesisWithdrawn
from novum.core.events.trials import CandidateTuned, GroupDispatched, ScaleMeasured, TrialFinished
from novum.core.events.verdicts import (
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    HoldoutAnswered,
    VerdictReached,
)
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Aim, Purpose
from novum.core.model.verdict import Verdict


@dataclass
class Case:
    """One hypothesis."""

    registered: Record
    confirmations: list[Record] = field(default_factory=list)
    verdicts: list[Record] = field(default_factory=list)
    finding: Record | None = None
    follow_ups: list[tuple[Record, Record | None]] = field(default_factory=list)
    """Each with its end, or None while it is open."""
    tail: Record | None = None
    """That its later runs refuted it."""
    holdout: Record | None = None
    closed: Record | None = None
    """Withdrawn or superseded."""

    @property
    def claim(self) -> HypothesisRegistered:
        """What is claimed."""
        assert isinstance(self.registered.event, HypothesisRegistered)
        return self.registered.event

    @property
    def verdict(self) -> Verdict | None:
        """The latest one."""
        event = self.verdicts[-1].event if self.verdicts else None
        return event.verdict if isinstance(event, VerdictReached) else None

    @property
    def retracting(self) -> Record | None:
        """The end of a replication that was refuted, or later runs that refute it."""
        for opened, closed in self.follow_ups:
            again = isinstance(opened.event, FollowUpOpened) and opened.event.aim is Aim.REPLICATE
            end = closed.event if closed else None
            if again and isinstance(end, FollowUpClosed) and end.verdict is Verdict.REFUTED:
                return closed
        return self.tail


@dataclass
class CaseIndex:
    """Records by hypothesis, candidate, proposal, subject or request."""

    opened: Record | None = None
    cases: dict[str, Case] = field(default_factory=dict)
    tuned: dict[str, Record] = field(default_factory=dict)
    scales: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, Record] = field(default_factory=dict)
    """The first trial of a candidate's screening that gave no score."""
    incumbents: dict[str, Record] = field(default_factory=dict)
    reviews: dict[int, Record] = field(default_factory=dict)
    watchdog: dict[str, list[Record]] = field(default_factory=dict)
    comments: dict[str, list[Record]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Numbers of the events by which means were set aside for requests to models."""
    latest: str = ""
    """The hypothesis of the last verdict."""
    _sweeps: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One more record."""
        event = record.event
        if isinstance(event, TrialFinished | GroupDispatched):
            self._screened(record)
        elif isinstance(event, HypothesisRegistered):
            self.cases[event.id] = Case(record)
        elif isinstance(event, CampaignOpened):
            self.opened = record
        elif isinstance(event, CandidateTuned):
            self.tuned[event.candidate] = record
        elif isinstance(event, ScaleMeasured):
            self.scales[event.candidate] = record
        elif isinstance(event, IncumbentChanged):
            self.incumbents.setdefault(event.candidate.id, record)
        elif isinstance(event, ProposalReviewed):
            self.reviews[event.number] = record
        elif isinstance(event, Intervened):
            self.watchdog.setdefault(event.subject, []).append(record)
        elif isinstance(event, Commented):
            self.comments.setdefault(event.about, []).append(record)
        elif isinstance(event, ModelAsked):
            self.asked[event.request] = record.seq
        else:
            self._judged(record)

    def _judged(self, record: Record) -> None:
        """What happens to a registered claim."""
        event = record.event
        if isinstance(event, ConfirmationOpened):
            self.cases[event.hypothesis].confirmations.append(record)
        elif isinstance(event, VerdictReached):
            self.cases[event.hypothesis].verdicts.append(record)
            self.latest = event.hypothesis
        elif isinstance(event, FindingRecorded):
            self.cases[event.hypothesis].finding = record
        elif isinstance(event, FollowUpOpened):
            self.cases[event.hypothesis].follow_ups.append((record, None))
        elif isinstance(event, FollowUpClosed):
            asked = self.cases[event.hypothesis].follow_ups
            asked[event.attempt - 1] = asked[event.attempt - 1][0], record
        elif isinstance(event, TailRefuted):
            self.cases[event.hypothesis].tail = record
        elif isinstance(event, HoldoutAnswered):
            self.cases[event.hypothesis].holdout = record
        elif isinstance(event, HypothesisWithdrawn | HypothesisSuperseded):
            self.cases[event.hypothesis].closed = record

    def _screened(self, record: Record) -> None:
        """Remember why a candidate's screening first failed; a loss is the machine's, and gives way to any other."""
        event = record.event
        if isinstance(event, GroupDispatched):
            if event.plan.purpose is Purpose.SCREEN:
                self._sweeps[event.plan.id] = event.plan.candidate.id, len(event.plan.members)
        elif isinstance(event, TrialFinished) and event.group in self._sweeps:
            candidate, size = self._sweeps[event.group]
            if event.kind is not OutcomeKind.SCORED:
                known = self.failures.get(candidate)
                if known is None or (isinstance(known.event, TrialFinished) and known.event.kind is OutcomeKind.LOST):
                    self.failures[candidate] = record
            if event.member == size - 1:
                del self._sweeps[event.group]

    def records(self) -> Iterator[Record]:
        """Every record that an interpretation may cite."""
        for known in (self.tuned, self.scales, self.failures, self.incumbents, self.reviews):
            yield from known.values()
        for rows in self.watchdog.values():
            yield from rows
        for case in self.cases.values():
            pairs = (record for pair in case.follow_ups for record in pair)
            single = (case.registered, case.finding, case.holdout, case.closed)
            every = (*single, *case.confirmations, *case.verdicts, *pairs)
            yield from (record for record in every if record)

    def ground(self, case: Case) -> Case | None:
        """The finding by which a claim's incumbent had become incumbent; None where that was the baseline."""
        record = self.incumbents.get(case.claim.incumbent)
        crowned = record.event.hypothesis if record and isinstance(record.event, IncumbentChanged) else None
        return self.cases.get(crowned) if crowned else None
