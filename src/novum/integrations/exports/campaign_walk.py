"""A campaign in one pass over its records: the fold, and what the fold forgets and exports need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Record
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, FollowUpClosed, FollowUpOpened, VerdictReached
from novum.core.model.errors import IntegrityError, UserError
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Pair, Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.gate.judge import BettingGate


@dataclass
class Attempt:
    """One confirmation of a hypothesis with its pairs up to the verdict. Times in microseconds, 0 for not yet."""

    rule: ConfirmationOpened
    opened: int
    pairs: list[Pair] = field(default_factory=list)
    verdict: VerdictReached | None = None
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """The effect of a finding, as `novum findings` gives it; fresh: whether from pairs that the verdict did not use."""

    effect: float | None
    interval: tuple[float, float] | None
    level: float
    pairs: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One outcome: its number and time (microseconds) in the record, what it was for, and in which session it ran."""

    seq: int
    time: int
    outcome: TrialFinished
    plan: Plan
    session: int


@dataclass
class Campaign:
    """Everything that an export needs. `times`: when a hypothesis was registered; `touched`: last event about it.

    trials: every outcome in order, with its plan and session. spent: trials and CPU seconds by purpose and subject.
    """

    state: CampaignState = field(default_factory=CampaignState)
    times: dict[str, int] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    attempts: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    asked: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    incumbents: list[tuple[int, IncumbentChanged]] = field(default_factory=list)
    spent: Counter[tuple[Purpose, str]] = field(default_factory=Counter)
    seconds: dict[tuple[Purpose, str], float] = field(default_factory=dict)
    first: Record | None = None
    last: Record | None = None
    _plans: dict[str, Plan] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One record, in order."""
        event = record.event
        if isinstance(event, VerdictReached):
            # Before the fold: the pairs are still those that the verdict was reached on.
            self._judged(event, record.time)
        apply(self.state, event)
        self.first, self.last = self.first or record, record
        subject = getattr(event, "hypothesis", None)
        if isinstance(event, HypothesisRegistered):
            subject, self.times[event.id] = event.id, record.time
        elif isinstance(event, GroupDispatched):
            self._plans[event.plan.id] = event.plan
        elif isinstance(event, TrialFinished):
            subject = self._finished(record, event)
        elif isinstance(event, ConfirmationOpened):
            self.attempts[event.hypothesis, event.attempt] = Attempt(event, record.time)
        elif isinstance(event, FollowUpOpened):
            self.asked[event.hypothesis, event.rule.attempt] = [record.time, 0]
        elif isinstance(event, FollowUpClosed):
            self.asked[event.hypothesis, event.attempt][1] = record.time
        elif isinstance(event, IncumbentChanged):
            self.incumbents.append((record.time, event))
        if isinstance(subject, str):
            self.touched[subject] = record.time

    def _judged(self, event: VerdictReached, time: int) -> None:
        attempt = self.attempts[event.hypothesis, event.attempt]
        attempt.pairs = self.state.hypotheses[event.hypothesis].pairs()[: event.pairs]
        attempt.verdict, attempt.closed = event, time

    def _finished(self, record: Record, event: TrialFinished) -> str:
        plan = self._plans[event.group]
        self.trials.append(Trial(record.seq, record.time, event, plan, self.state.session))
        self.spent[plan.purpose, plan.subject] += 1
        key = plan.purpose, plan.subject
        self.seconds[key] = self.seconds.get(key, 0.0) + event.cpu_seconds
        return plan.subject

    def attempts_of(self, hypothesis: Hypothesis) -> list[Attempt]:
        """Its confirmations in order; the pairs of one that is open are those so far."""
        found = [self.attempts[hypothesis.id, n] for n in range(1, hypothesis.attempt + 1)]
        if found and found[-1].verdict is None:
            found[-1].pairs = hypothesis.pairs()
        return found

    def cost_of(self, subject: str, *purposes: Purpose) -> tuple[int, float]:
        """Trials and CPU seconds that were spent in the name of a hypothesis or a candidate."""
        keys = [(purpose, subject) for purpose in purposes]
        return sum(self.spent[key] for key in keys), sum(self.seconds.get(key, 0.0) for key in keys)

    def ended(self, hypothesis: Hypothesis) -> int:
        """When something was last heard of a hypothesis, in its own name or in that of its candidate."""
        mine = self.touched[hypothesis.id]
        return max(mine, self.touched.get(hypothesis.candidate.id, 0)) if hypothesis.attempt == 0 else mine

    def size(self, hypothesis: Hypothesis) -> Size:
        """How large the effect of a finding is."""
        assert self.state.study and hypothesis.rule
        size = hypothesis.finding
        if size is not None and size.interval is not None:
            return Size(size.effect, size.interval, size.level, size.pairs, True)
        known = BettingGate(self.state.study.gate).estimate(hypothesis.rule, hypothesis.pairs())
        return Size(known.effect, known.interval, known.level, known.pairs, False)


def campaign(records: Iterable[Record]) -> Campaign:
    """The campaign of a lab. Raises IntegrityError for a record that contradicts itself, UserError without one."""
    found, seq = Campaign(), 0
    try:
        for record in records:
            seq = record.seq
            found.take(record)
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        raise IntegrityError(f"event {seq} contradicts the record before it ({error}): see `novum verify`") from error
    if not found.state.opened:
        raise UserError("the lab is empty: no campaign was opened in it, so there is nothing to export")
    return found


def outcome(hypothesis: Hypothesis) -> str:
    """supported, refuted, inconclusive or failed, as `novum run --json` counts them."""
    if hypothesis.phase is Phase.FAILED:
        return "failed"
    if hypothesis.verdict is None or hypothesis.phase is Phase.CONFIRMING:
        return Verdict.INCONCLUSIVE
    return hypothesis.verdict.verdict
