"""Whether the record is true: walk the chain, and judge every claim again from the raw outcomes.

Checked, in the order of the events, so that the first lie is named:
- the hash chain: nothing changed, missing, inserted or moved;
- each event is one of the known kinds and fits its type;
- artefacts are present, unaltered, and give the recorded score (once the seeds of their trials are public);
- a confirmation is registered before its first trial, and its stake follows from the evidence ledger;
- the revealed key is the one that was committed to;
- every verdict, with E, threshold and pairs, and the evidence account after it, follow from the recorded outcomes.

Not checked: that the owner did not write the whole chain anew (compare the head with one published in time), and that
the workers ran what they were sent.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from novum.core import confirm, replicate, screen, seeds
from novum.core.errors import ArtefactError, IntegrityError
from novum.core.events import (
    CampaignOpened,
    CandidateTuned,
    ConfirmationOpened,
    Event,
    FindingRecorded,
    GroupDispatched,
    HypothesisRegistered,
    IncumbentChanged,
    ReplicationClosed,
    ReplicationOpened,
    ScaleMeasured,
    TrialFinished,
    VerdictReached,
)
from novum.core.house import role_of
from novum.core.ids import canonical
from novum.core.judgement import Account
from novum.core.nouns import Setting, Trial, TrialGroup
from novum.core.plans import Plan, Purpose, Side, Verdict
from novum.core.ports import Arena, Blobs, Evidence, Gate
from novum.core.state import State
from novum.core.study import Study
from novum.ledger.chain import GENESIS, link
from novum.ledger.codec import decode, plain

Row = tuple[int, int, str, str, str, str]
SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Rules:
    """What a verdict is judged by again."""

    arena: Arena | None
    elsewhere: Callable[[Setting], Arena]
    gate: Gate
    evidence: Evidence


@dataclass(frozen=True)
class Verification:
    """The outcome of a check: `lie` names the first contradiction and its event, or is empty."""

    ok: bool
    lie: str
    events: int
    trials: int
    verdicts: int
    scores: int
    head: str
    notes: tuple[str, ...] = ()


@dataclass
class _Audit:
    """A walk over the events with the state before each of them."""

    blobs: Blobs
    make_rules: Callable[[Study], Rules]
    state: State = field(default_factory=State)
    rules: Rules | None = None
    plans: dict[str, Plan] = field(default_factory=dict)
    sealed: dict[tuple[str, int, bool], list[TrialFinished]] = field(default_factory=dict)
    trials: int = 0
    verdicts: int = 0
    scores: int = 0
    due: str = ""

    def take(self, event: Event) -> None:
        """Check one event against the state before it, then fold it. Raises IntegrityError."""
        try:
            self._check(event)
            self.state.apply(event)
        except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
            raise IntegrityError(f"it contradicts the record before it ({type(error).__name__}: {error})") from error

    def _check(self, event: Event) -> None:
        if self.due and not isinstance(event, IncumbentChanged):
            raise IntegrityError(f"{self.due} was supported against the incumbent and did not take its place")
        if isinstance(event, CampaignOpened):
            if self.rules:
                raise IntegrityError("a campaign is opened a second time")
            self.rules = self.make_rules(event.study)
        elif self.rules is None:
            raise IntegrityError("an event stands before the campaign was opened")
        elif isinstance(event, HypothesisRegistered):
            if event.id in self.state.hypotheses:
                raise IntegrityError(f"{event.id} is registered a second time")
        elif isinstance(event, IncumbentChanged):
            self._crowned(event)
        elif isinstance(event, GroupDispatched):
            self._dispatched(event)
        elif isinstance(event, TrialFinished):
            self._finished(event)
        elif isinstance(event, ConfirmationOpened):
            self._opened(event)
        elif isinstance(event, VerdictReached):
            self._judged(event)
        elif isinstance(event, FindingRecorded):
            self._found(event)
        elif isinstance(event, ScaleMeasured):
            self._measured(event)
        elif isinstance(event, CandidateTuned):
            self._tuned(event)
        elif isinstance(event, ReplicationOpened):
            self._again(event)
        elif isinstance(event, ReplicationClosed):
            self._judged_again(event)

    def _crowned(self, event: IncumbentChanged) -> None:
        """A new incumbent: the baseline, what was just supported, or an earlier one after a retraction."""
        due, self.due = self.due, ""
        if not self.state.incumbents:
            return
        if due and event.hypothesis == due and event.candidate.id == self.state.hypotheses[due].candidate.id:
            return
        present = self.state.hypotheses.get(self.state.incumbent.hypothesis or "")
        earlier = any(
            one.candidate.id == event.candidate.id and one.hypothesis == event.hypothesis
            for one in self.state.incumbents
        )
        if due or present is None or not self.state.retraction(present) or not earlier:
            raise IntegrityError("the incumbent changes without a supported hypothesis or a retraction behind it")

    def _dispatched(self, event: GroupDispatched) -> None:
        plan = event.plan
        self.plans[plan.id] = plan
        if plan.purpose in (Purpose.SCREEN, Purpose.CALIBRATE):
            if plan.subject != plan.candidate.id:
                raise IntegrityError(f"{plan.purpose} trials of one candidate in the name of another")
        else:
            rule = self._rule_of(plan)
            if rule is None or rule.attempt != plan.attempt:
                raise IntegrityError(f"{plan.purpose} trials of {plan.subject} before its rule was registered")
            first = plan.side is Side.CANDIDATE
            expected = rule.candidate_setting if first else rule.incumbent_setting
            if plan.candidate.id != (rule.candidate if first else rule.incumbent).id:
                raise IntegrityError(f"{plan.purpose} trials of {plan.subject} with another candidate than registered")
            if any(member.setting != expected for member in plan.members):
                raise IntegrityError(f"{plan.purpose} trials of {plan.subject} with another setting than registered")

    def _rule_of(self, plan: Plan) -> ConfirmationOpened | None:
        """The registered rule that the trials of a plan are run under."""
        hypothesis = self.state.hypotheses.get(plan.subject)
        if hypothesis is None:
            return None
        if plan.purpose is not Purpose.REPLICATE:
            return hypothesis.rule
        return hypothesis.replications[-1].rule if hypothesis.replications else None

    def _finished(self, event: TrialFinished) -> None:
        plan = self.plans.get(event.group)
        if plan is None or event.group not in self.state.in_flight:
            raise IntegrityError(f"an outcome of {event.group}, which was not in flight")
        if not 0 <= event.member < len(plan.members) or event.trial in self.state.finished:
            raise IntegrityError(f"trial {event.trial} is no trial of {event.group}, or came in twice")
        if self._counted(plan, plan.members[event.member].index):
            raise IntegrityError(f"seed {plan.members[event.member].index} of {plan.subject} was run a second time")
        self.trials += 1
        if event.artefact is None:
            if event.score is not None:
                raise IntegrityError(f"trial {event.trial} has a score and no artefact behind it")
            return
        if plan.purpose is Purpose.SCREEN and self.state.study:
            self._rescore(event, plan, seeds.search_key(self.state.study.seed))
        else:
            self._artefact(event)
            self.sealed.setdefault(_seal(plan.subject, plan.attempt, plan.purpose), []).append(event)

    def _counted(self, plan: Plan, index: int) -> bool:
        """Whether a pair's run on this seed counts already: a second one would be a choice between them."""
        hypothesis = self.state.hypotheses.get(plan.subject)
        if hypothesis is None or plan.attempt == 0:
            return False
        if plan.purpose is Purpose.REPLICATE:
            return index in hypothesis.replications[plan.attempt - 1].runs[plan.side]
        return hypothesis.attempt == plan.attempt and index in hypothesis.runs[plan.side]

    def _tuned(self, event: CandidateTuned) -> None:
        try:
            honest = screen.tuned(self.state, event.candidate)
        except KeyError as error:
            raise IntegrityError(f"{event.candidate} was tuned before its sweep was complete") from error
        if canonical(plain(honest)) != canonical(plain(event)):
            raise IntegrityError(f"the setting of {event.candidate} does not follow from its sweep")

    def _measured(self, event: ScaleMeasured) -> None:
        if event.source is Purpose.CALIBRATE:
            gains, mean = screen.calibration(self.state, event.candidate)
            if len(gains) < 2 or not _close(statistics.stdev(gains), event.sigma) or not _close(mean, event.mean):
                raise IntegrityError("the scale does not follow from the calibration runs")
            for outcome in self.sealed.pop(_seal(event.candidate, 0), []):
                self._rescore(outcome, self.plans[outcome.group], bytes.fromhex(event.key or ""))
            return
        owner = self.state.hypotheses.get(self.state.incumbent.hypothesis or "")
        log = bool(self.state.card and self.state.card.log)
        measured = list(confirm.scale_of(owner, log=log)) if owner else []
        if not measured or plain(measured[0]) != plain(event):
            raise IntegrityError("the scale does not follow from the new incumbent's confirming runs")

    def _opened(self, event: ConfirmationOpened) -> None:
        assert self.rules
        stake = self.rules.evidence.open(self.state.account)
        if not _close(stake.amount, event.stake) or not _close(stake.account.cash, event.cash):
            raise IntegrityError(f"the stake of {event.hypothesis} does not follow from the evidence ledger")
        expected = confirm.rule_for(self.state, self.state.hypotheses[event.hypothesis], stake, event.key_commitment)
        if canonical(plain(expected)) != canonical(plain(event)):
            raise IntegrityError(f"the rule of {event.hypothesis} does not follow from the study and the record")

    def _judged(self, event: VerdictReached) -> None:
        assert self.rules
        hypothesis = self.state.hypotheses[event.hypothesis]
        rule = hypothesis.rule
        if rule is None or rule.attempt != event.attempt:
            raise IntegrityError(f"a verdict on {event.hypothesis} without a registered rule")
        self.verdicts += 1
        account = self.state.account
        now = self.rules.gate.judge(rule, hypothesis.pairs(), hypothesis.judged, account.discoveries)
        superseded = event.reason.startswith(SUPERSEDED)
        if superseded and self.state.incumbent.candidate.id == rule.incumbent.id:
            raise IntegrityError(f"{event.hypothesis} was called superseded, and its incumbent was not")
        if not superseded and now.verdict != event.verdict:
            raise IntegrityError(
                f"{event.hypothesis} was called {event.verdict}, outcomes say {now.verdict or 'go on'}"
            )
        same = _close(now.e_value, event.e_value) and _close(now.threshold, event.threshold)
        same = same and _close(now.against, event.against) and _close(now.mean or 0.0, event.mean or 0.0)
        if not same or now.pairs != event.pairs or now.crashes != event.crashes:
            raise IntegrityError(
                f"{event.hypothesis} was recorded with E = {event.e_value:.6g} of {event.threshold:.6g} after "
                f"{event.pairs} pairs, its outcomes give {now.e_value:.6g} of {now.threshold:.6g} after {now.pairs}"
            )
        accepted = event.verdict is Verdict.SUPPORTED
        after: Account = self.rules.evidence.close(account, rule.stake, now.e_value, now.threshold, accepted=accepted)
        honest = _close(after.cash, event.cash) and _close(after.cash - account.cash, event.refund)
        if not honest or after.discoveries != event.discoveries:
            raise IntegrityError(f"the evidence account after {event.hypothesis} does not add up")
        if accepted and self.state.incumbent.candidate.id == rule.incumbent.id:
            self.due = event.hypothesis
        if (event.key is None) != accepted:
            raise IntegrityError(f"the seed key of {event.hypothesis} is revealed too early or not at all")
        if event.key is not None:
            self._reveal(event.hypothesis, event.attempt, event.key, rule)

    def _found(self, event: FindingRecorded) -> None:
        assert self.rules
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.rule is None or hypothesis.verdict is None or hypothesis.verdict.verdict is not Verdict.SUPPORTED:
            raise IntegrityError(f"a finding on {event.hypothesis}, which was not supported")
        fresh = hypothesis.pairs()[hypothesis.verdict.pairs :]
        size = self.rules.gate.estimate(hypothesis.rule, fresh)
        claimed = (event.effect, event.interval, event.level, event.pairs)
        if canonical(plain(claimed)) != canonical(plain((size.effect, size.interval, size.level, size.pairs))):
            raise IntegrityError(f"the effect of {event.hypothesis} does not follow from its fresh pairs")
        self._reveal(event.hypothesis, event.attempt, event.key, hypothesis.rule)

    def _again(self, event: ReplicationOpened) -> None:
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.finding is None:
            raise IntegrityError(f"a replication of {event.hypothesis}, which is no finding")
        expected = replicate.rule_again(hypothesis, event.rule.key_commitment)
        if canonical(plain(expected)) != canonical(plain(event.rule)):
            raise IntegrityError(f"the rule of the replication of {event.hypothesis} does not follow from the finding")

    def _judged_again(self, event: ReplicationClosed) -> None:
        assert self.rules
        one = self.state.hypotheses[event.hypothesis].replications[event.attempt - 1]
        now = self.rules.gate.judge(one.rule, one.pairs(), one.judged, 0)
        if now.verdict != event.verdict or now.pairs != event.pairs or not _close(now.e_value, event.e_value):
            raise IntegrityError(
                f"the replication of {event.hypothesis} was called {event.verdict} with E = {event.e_value:.6g}, its "
                f"outcomes say {now.verdict or 'go on'} with {now.e_value:.6g}"
            )
        self.verdicts += 1
        self._reveal(event.hypothesis, event.attempt, event.key, one.rule, Purpose.REPLICATE)

    def _reveal(
        self,
        hypothesis: str,
        attempt: int,
        key: str,
        rule: ConfirmationOpened,
        purpose: Purpose = Purpose.CONFIRM,
    ) -> None:
        """The key is out: check the commitment, and the scores that were sealed until now."""
        if hashlib.sha256(bytes.fromhex(key)).hexdigest() != rule.key_commitment:
            raise IntegrityError(f"the seed key of {hypothesis} is not the one that was committed to")
        for outcome in self.sealed.pop(_seal(hypothesis, attempt, purpose), []):
            self._rescore(outcome, self.plans[outcome.group], bytes.fromhex(key))

    def _artefact(self, event: TrialFinished) -> bytes:
        """What was scored, checked against its address."""
        scheme, _, value = (event.artefact or "").partition(":")
        return bytes.fromhex(value) if scheme == "hex" else self.blobs.get(value)

    def _rescore(self, event: TrialFinished, plan: Plan, key: bytes) -> None:
        assert self.rules and self.state.study
        data = self._artefact(event)
        if self.rules.arena is None:
            return
        member = plan.members[event.member]
        trial = Trial(event.trial, seeds.seed(key, member.index), member.setting)
        options, limits = {**self.state.study.options, **plan.options}, self.state.study.limits
        group = TrialGroup(plan.id, plan.candidate, (trial,), options, plan.fidelity, limits, role_of(plan))
        arena = self.rules.elsewhere(options) if plan.options else self.rules.arena
        try:
            score = arena.score(group, trial, data)
        except ArtefactError as error:
            raise IntegrityError(f"the artefact of {event.trial} cannot be scored: {error}") from error
        if event.score is None or not _close(score.value, event.score):
            raise IntegrityError(
                f"trial {event.trial} was recorded with {event.score}, its artefact scores {score.value}"
            )
        if canonical(dict(score.others)) != canonical(dict(event.others)):
            raise IntegrityError(f"trial {event.trial} was recorded with other metrics than its artefact gives")
        self.scores += 1


def verify_lab(rows: Iterable[Row], blobs: Blobs, make_rules: Callable[[Study], Rules]) -> Verification:
    """Walk the rows of a ledger (seq, time, actor, kind, payload, hash); stops at the first lie."""
    audit = _Audit(blobs, make_rules)
    head, expected = GENESIS, 0
    done = Verification(True, "", 0, 0, 0, 0, head)
    try:
        for seq, time, actor, kind, payload, recorded in rows:
            expected += 1
            try:
                if seq != expected:
                    raise IntegrityError(f"event {expected} is missing")
                head = link(head, seq, time, actor, kind, payload)
                if head != recorded:
                    raise IntegrityError("its hash does not follow from its content and the hash before it")
                audit.take(decode(kind, payload))
            except IntegrityError as error:
                raise IntegrityError(f"event {seq} ({kind}): {error}") from error
            done = Verification(True, "", seq, audit.trials, audit.verdicts, audit.scores, head)
    except IntegrityError as error:
        return replace(done, ok=False, lie=str(error))
    return replace(done, notes=_notes(audit))


def _notes(audit: _Audit) -> tuple[str, ...]:
    unscored = sum(len(outcomes) for outcomes in audit.sealed.values())
    notes = [f"{audit.scores} scores computed again from their artefacts"]
    if audit.rules and audit.rules.arena is None:
        notes = ["the lab's arena is not one of Novum's: its scores were not computed again"]
    if unscored:
        notes.append(
            f"{unscored} scores belong to open or superseded confirmations or scales whose seeds are still sealed"
        )
    if not audit.state.study:
        notes = ["the ledger is empty"]
    return tuple(notes)


def _seal(subject: str, attempt: int, purpose: Purpose = Purpose.CONFIRM) -> tuple[str, int, bool]:
    """Outcomes whose seeds become public together."""
    return subject, attempt, purpose is Purpose.REPLICATE


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
