"""What each event is held to, given the state before it: seeds, rules, verdicts, accounts, artefacts, signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from novum.audit.checks.arm_checks import check_joined, rule_of_arm
from novum.audit.checks.evidence_checks import check_evidence
from novum.audit.checks.figure_checks import check_figures, check_reason
from novum.audit.checks.form_checks import Forms
from novum.audit.checks.incumbent_checks import allowed, check_crowned
from novum.audit.checks.machine_checks import check_machines
from novum.audit.checks.promise_checks import PROMISED_SINCE
from novum.audit.checks.record_checks import RecordChecks
from novum.audit.claim_checks import check_claim, check_distilled, check_withheld
from novum.audit.holdout_checks import check_holdout
from novum.audit.score_checks import Rules, Scores, Seal, close, seal
from novum.audit.signatures import Signatures
from novum.core.engine.finding_parts import parts, without
from novum.core.engine.follow_up_registration import rule_of
from novum.core.engine.preregistration import rule_for
from novum.core.engine.stages import follow_up, promote, screen
from novum.core.engine.stages.confirm import UNPAID
from novum.core.events.campaign import CampaignOpened, CheckpointSigned, IncumbentChanged, SessionStarted
from novum.core.events.event import Event
from novum.core.events.evidence_account import EvidencePlanned, TailRefuted
from novum.core.events.machines import GroupRan, GroupRechecked, MachineJoined, MachineLeft
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisRegistered, HypothesisWithdrawn, ProposalMade
from novum.core.events.trials import CandidateTuned, GroupDispatched, LateReport, ScaleMeasured, TrialFinished
from novum.core.events.verdicts import (
    AblationPlanned,
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    HoldoutAnswered,
    HoldoutAsked,
    HoldoutClosed,
    HoldoutOpened,
    VerdictReached,
)
from novum.core.model import seeds
from novum.core.model.candidate import Setting
from novum.core.model.errors import IntegrityError, StudyError
from novum.core.model.identity import DISTIL
from novum.core.model.ports import Blobs
from novum.core.model.study import Study
from novum.core.model.trial_plan import Plan, Purpose, Side
from novum.core.model.verdict import Account, Verdict
from novum.core.state.arm import arm_id, arm_of
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply
from novum.ledger.codec import plain
from novum.text.canonical_json import canonical

SUPERSEDED = "superseded"

CONTRADICTIONS = (LookupError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)


_OF_HOLDOUT = (HoldoutOpened, HoldoutAsked, HoldoutAnswered, HoldoutClosed)


@dataclass
class Audit:
    """A walk over the events with the state before each of them."""

    blobs: Blobs
    make_rules: Callable[[Study], Rules]
    signatures: Signatures
    state: CampaignState = field(default_factory=CampaignState)
    forms: Forms = field(default_factory=Forms)
    record: RecordChecks = field(default_factory=RecordChecks)
    scores: Scores = field(init=False)
    rules: Rules | None = None
    plans: dict[str, Plan] = field(default_factory=dict)
    trials: int = 0
    verdicts: int = 0
    due: str = ""

    def __post_init__(self) -> None:
        self.scores = Scores(self.blobs)

    def take(self, event: Event, before: tuple[int, str]) -> None:
        """Check one event against the state and the head `before` it, then fold it. Raises IntegrityError."""
        try:
            if isinstance(event, CheckpointSigned):
                self.signatures.check(event, *before, self.state.secret_commitment)
            self._check(event)
            if self.rules:
                self.record.before(event, self.state, self.rules)
            apply(self.state, event)
            self.record.after(event, self.state)
        except KeyError as error:
            raise IntegrityError(f"it contradicts the record before it, which knows no {error}") from error
        except CONTRADICTIONS as error:
            raise IntegrityError(f"it contradicts the record before it ({type(error).__name__}: {error})") from error
        except StudyError as error:
            raise IntegrityError(f"it makes no sense to the study ({error})") from error

    def _check(self, event: Event) -> None:
        if self.due and not isinstance(event, IncumbentChanged):
            raise IntegrityError(f"{self.due} was supported against the incumbent and did not take its place")
        if isinstance(event, CampaignOpened):
            if self.rules:
                raise IntegrityError("a campaign is opened a second time")
            self.rules = self.make_rules(event.study)
        elif self.rules is None:
            raise IntegrityError("an event stands before the campaign was opened")
        elif isinstance(event, TrialFinished):
            self._finished(event)
        elif isinstance(event, HypothesisRegistered):
            check_claim(event, self.state)
        elif isinstance(event, ProposalMade) and event.author == DISTIL:
            check_distilled(event, self.state, self.rules.arena.space if self.rules.arena else None)
        elif isinstance(event, SessionStarted):
            self.scores.attached(event.provenance.git_changes, f"what session {event.session} changed in Novum's code")
        elif isinstance(event, IncumbentChanged):
            due, self.due = self.due, ""
            check_crowned(event, self.state, due)
        elif isinstance(event, GroupDispatched):
            self._dispatched(event)
        elif isinstance(event, LateReport):
            if event.group in self.state.in_flight:
                raise IntegrityError(f"{event.group} was waited for, and its report was put aside as late")
        elif isinstance(event, ConfirmationOpened):
            self._opened(event)
        elif isinstance(event, VerdictReached):
            self._judged(event)
        elif isinstance(event, EvidencePlanned | TailRefuted):
            check_evidence(event, self.state, self.rules)
        elif isinstance(event, FindingRecorded):
            self._found(event)
        elif isinstance(event, ScaleMeasured):
            self._measured(event)
        elif isinstance(event, CandidateTuned):
            self._tuned(event)
        elif isinstance(event, _OF_HOLDOUT):
            check_holdout(event, self.state, self.rules, self.scores)
        elif isinstance(event, HypothesisWithdrawn | Intervened):
            check_withheld(event, self.state)
        elif isinstance(event, AblationPlanned):
            self._planned(event)
        elif isinstance(event, FollowUpOpened):
            self._asked(event)
        elif isinstance(event, FollowUpClosed):
            self._answered(event)
        elif isinstance(event, MachineJoined | MachineLeft | GroupRan | GroupRechecked):
            check_machines(event, self.state)

    @property
    def _shared(self) -> bool:
        """Whether hypotheses or their authors have budgets of their own."""
        return self.state.opened and self.state.study.budgets.given

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
            if plan.options != self._options_of(plan):
                raise IntegrityError(f"{plan.purpose} trials of {plan.subject} with other options than registered")

    def _rule_of(self, plan: Plan) -> ConfirmationOpened | None:
        """The registered rule that the trials of a plan are run under."""
        hypothesis = self.state.hypotheses.get(plan.subject)
        if hypothesis is None:
            return None
        if plan.arm and plan.purpose is not Purpose.FOLLOW_UP:
            return rule_of_arm(plan, self.state)
        if plan.purpose is not Purpose.FOLLOW_UP:
            return hypothesis.rule
        return hypothesis.follow_ups[-1].rule if hypothesis.follow_ups else None

    def _options_of(self, plan: Plan) -> Setting:
        """What the registered question changes in the study's options."""
        if plan.purpose is not Purpose.FOLLOW_UP:
            return {}
        return self.state.hypotheses[plan.subject].follow_ups[-1].opened.options

    def _finished(self, event: TrialFinished) -> None:
        plan = self.plans.get(event.group)
        if plan is None or event.group not in self.state.in_flight:
            raise IntegrityError(f"an outcome of {event.group}, which was not in flight")
        if not 0 <= event.member < len(plan.members) or event.member in self.state.arrived(event.group):
            raise IntegrityError(f"trial {event.trial} is no trial of {event.group}, or came in twice")
        if self._counted(plan, plan.members[event.member].index):
            raise IntegrityError(f"seed {plan.members[event.member].index} of {plan.subject} was run a second time")
        self.trials += 1
        self.scores.exact = self.state.schema >= PROMISED_SINCE
        if event.artefact is None:
            if event.score is not None:
                raise IntegrityError(f"trial {event.trial} has a score and no artefact behind it")
            return
        if plan.purpose is Purpose.SCREEN:
            assert self.rules
            key = seeds.search_key(self.state.study.seed)
            self.scores.check(event, plan, key, self.rules, self.state.study)
        else:
            self.scores.hold(event, plan)

    def _counted(self, plan: Plan, index: int) -> bool:
        """Whether a pair's run on this seed counts already: a second one would be a choice between them."""
        hypothesis = self.state.hypotheses.get(plan.subject)
        if hypothesis is None or plan.attempt == 0:
            return False
        if plan.purpose is Purpose.FOLLOW_UP:
            return index in hypothesis.follow_ups[plan.attempt - 1].runs[plan.side]
        if plan.arm and plan.side is Side.INCUMBENT:
            return index in self.state.arms[plan.arm].runs
        return hypothesis.attempt == plan.attempt and index in hypothesis.runs[plan.side]

    def _tuned(self, event: CandidateTuned) -> None:
        try:
            honest = screen.tuned(self.state, event.candidate)
        except KeyError as error:
            raise IntegrityError(f"{event.candidate} was tuned before its sweep was complete") from error
        if honest != event and canonical(plain(honest)) != canonical(plain(event)):
            raise IntegrityError(f"the setting of {event.candidate} does not follow from its sweep")

    def _measured(self, event: ScaleMeasured) -> None:
        if event.source is Purpose.CALIBRATE:
            found = screen.calibration(self.state, event.candidate)
            if found.pairs < 2 or not close(found.sigma, event.sigma) or not close(found.mean, event.mean):
                raise IntegrityError("the scale does not follow from the calibration runs")
            others = screen.further_scales(self.state, event.candidate)
            if not self._bare(event) and canonical(dict(event.others)) != canonical(others):
                raise IntegrityError("the scales of further metrics do not follow from the calibration runs")
            self._reveal(seal(arm_id(event.candidate, 0), Purpose.CALIBRATE), event.key or "", "")
            return
        owner = self.state.hypotheses.get(self.state.incumbent.hypothesis or "")
        measured = list(promote.scale_of(owner, self.state)) if owner else []
        if measured and self._bare(event):
            measured = [replace(measured[0], others={})]
        if not measured or plain(measured[0]) != plain(event):
            raise IntegrityError("the scale does not follow from the new incumbent's confirming runs")

    def _bare(self, event: ScaleMeasured) -> bool:
        """Whether further metrics were left out, as the first labs did, and nothing rests on them."""
        return not event.others and self.state.opened and not self.state.study.uses_metrics

    def _opened(self, event: ConfirmationOpened) -> None:
        assert self.rules
        stake = self.rules.evidence.open(self.state.account)
        if not close(stake.amount, event.stake) or not close(stake.account.cash, event.cash):
            raise IntegrityError(f"the stake of {event.hypothesis} does not follow from the evidence ledger")
        check_joined(event, self.state)
        hypothesis = self.state.hypotheses[event.hypothesis]
        expected = rule_for(self.state, hypothesis, stake, event.key_commitment, event.arm)
        if not _same(expected, event):
            raise IntegrityError(f"the rule of {event.hypothesis} does not follow from the study and the record")

    def _judged(self, event: VerdictReached) -> None:
        assert self.rules
        hypothesis = self.state.hypotheses[event.hypothesis]
        rule = hypothesis.rule
        if rule is None or rule.attempt != event.attempt:
            raise IntegrityError(f"a verdict on {event.hypothesis} without a registered rule")
        self.verdicts += 1
        account = self.state.account
        discoveries = self.state.discoveries_for(rule)
        now = self.rules.gate.judge(rule, hypothesis.pairs(), hypothesis.judged, discoveries)
        superseded = event.reason.startswith(SUPERSEDED)
        if superseded and self.state.incumbent.candidate.id == rule.incumbent.id:
            raise IntegrityError(f"{event.hypothesis} was called superseded, and its incumbent was not")
        # Whoever runs out of means before the gate has spoken has shown nothing: such an end may only be inconclusive.
        unpaid = event.reason.startswith(UNPAID) and event.verdict is Verdict.INCONCLUSIVE and self._shared
        outcome = Verdict.INCONCLUSIVE if superseded or unpaid else now.verdict
        if outcome != event.verdict:
            raise IntegrityError(f"{event.hypothesis} was called {event.verdict}, outcomes say {outcome or 'go on'}")
        check_figures(event, now, event.hypothesis)
        if not (superseded or unpaid):
            check_reason(event, now, self.state)
        accepted = event.verdict is Verdict.SUPPORTED
        after: Account = self.rules.evidence.close(account, rule.stake, now.e_value, now.threshold, accepted=accepted)
        honest = close(after.cash, event.cash) and close(after.cash - account.cash, event.refund)
        if not honest or after.discoveries != event.discoveries:
            raise IntegrityError(f"the evidence account after {event.hypothesis} does not add up")
        if accepted and self.state.incumbent.candidate.id == rule.incumbent.id and allowed(self.state, hypothesis):
            self.due = event.hypothesis
        if (event.key is None) != accepted:
            raise IntegrityError(f"the seed key of {event.hypothesis} is revealed too early or not at all")
        if event.key is not None:
            self._reveal(seal(arm_of(rule), Purpose.CONFIRM), event.key, rule.key_commitment)

    def _found(self, event: FindingRecorded) -> None:
        assert self.rules
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.rule is None or hypothesis.verdict is None or hypothesis.verdict.verdict is not Verdict.SUPPORTED:
            raise IntegrityError(f"a finding on {event.hypothesis}, which was not supported")
        verdict = hypothesis.verdict
        pairs = hypothesis.pairs()[: verdict.pairs + event.pairs]
        size = self.rules.gate.size(hypothesis.rule, pairs, verdict.pairs, verdict.threshold)
        claimed = (event.effect, event.interval, event.level, event.pairs)
        if canonical(plain(claimed)) != canonical(plain((size.effect, size.interval, size.level, size.pairs))):
            raise IntegrityError(f"the effect of {event.hypothesis} does not follow from its fresh pairs")
        self._reveal(seal(arm_of(hypothesis.rule), Purpose.ESTIMATE), event.key, hypothesis.rule.key_commitment)

    def _planned(self, event: AblationPlanned) -> None:
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.finding is None or event.part not in parts(self.state.spec, hypothesis):
            raise IntegrityError(f"{event.hypothesis} is no finding with a part {event.part!r}")
        space = self.rules.arena.space if self.rules and self.rules.arena else None
        if space and without(space, self.state.spec, hypothesis, (event.part,)).id != event.rival.id:
            raise IntegrityError(f"the rival of {event.hypothesis} is not its candidate without {event.part}")

    def _asked(self, event: FollowUpOpened) -> None:
        assert self.rules
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.finding is None:
            raise IntegrityError(f"a follow-up of {event.hypothesis}, which is no finding")
        if self.state.following:
            raise IntegrityError(f"a follow-up of {event.hypothesis} while another is open")
        stake = self.rules.evidence.open(self.state.account)
        commitment = event.rule.key_commitment
        expected = rule_of(self.state, hypothesis, event.aim, event.about, stake, commitment)
        if not _same(expected.rule, event.rule) or plain(replace(expected, rule=event.rule)) != plain(event):
            raise IntegrityError(f"the follow-up of {event.hypothesis} does not follow from the finding and the record")

    def _answered(self, event: FollowUpClosed) -> None:
        assert self.rules
        one = self.state.hypotheses[event.hypothesis].follow_ups[event.attempt - 1]
        account = self.state.account
        now = self.rules.gate.judge(one.rule, one.pairs(), one.judged, account.discoveries if one.paid else 0)
        name = f"the {one.opened.aim} follow-up of {event.hypothesis}"
        if now.verdict != event.verdict:
            raise IntegrityError(f"{name} was called {event.verdict}, its outcomes say {now.verdict or 'go on'}")
        check_figures(event, now, name)
        check_reason(event, now, self.state)
        if not follow_up.measured(event, now, self.rules.gate.size(one.rule, one.pairs(), 0, one.rule.threshold)):
            raise IntegrityError(f"the effect of a follow-up of {event.hypothesis} does not follow from its pairs")
        accepted = event.verdict is Verdict.SUPPORTED
        evidence, bar = self.rules.evidence, now.threshold
        after = evidence.close(account, one.rule.stake, now.e_value, bar, accepted=accepted) if one.paid else account
        said = (event.cash, event.discoveries) if one.paid or event.level else (account.cash, account.discoveries)
        honest = close(after.cash, said[0]) and close(after.cash - account.cash, event.refund)
        if not honest or after.discoveries != said[1]:
            raise IntegrityError(f"the evidence account after a follow-up of {event.hypothesis} does not add up")
        self.verdicts += 1
        sealed = seal(arm_id(event.hypothesis, event.attempt), Purpose.FOLLOW_UP)
        self._reveal(sealed, event.key, one.rule.key_commitment)

    def _reveal(self, name: Seal, key: str, commitment: str) -> None:
        assert self.rules
        self.scores.reveal(name, key, commitment, self.rules, self.state.study)


def _same(expected: ConfirmationOpened, recorded: ConfirmationOpened) -> bool:
    """Whether a rule is the expected one; the first labs did not name the arena's own metric."""
    named = expected if recorded.metric else replace(expected, metric="")
    return canonical(plain(named)) == canonical(plain(recorded))
