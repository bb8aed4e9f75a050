"""Projections of proposals and hypotheses, from an idea to a finding and its follow-ups."""

from __future__ import annotations

from dataclasses import replace

from novum.core.events.campaign import (
    IncumbentChanged,
)
from novum.core.events.evidence_account import EvidencePlanned, TailRefuted
from novum.core.events.oversight import ProposalReviewed
from novum.core.events.promises import FollowUpsPromised
from novum.core.events.proposals import (
    HypothesisRegistered,
    HypothesisSuperseded,
    HypothesisWithdrawn,
    ProposalMade,
    ProposalRefused,
)
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
    ReopeningRequested,
    VerdictReached,
)
from novum.core.model.identity import DISTIL
from novum.core.model.trial_plan import Side
from novum.core.model.verdict import Verdict
from novum.core.state.arm import Arm
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import folds
from novum.core.state.hypothesis import FollowUp, Hypothesis, Phase, no_runs
from novum.core.state.projections.phases import move, settle_screening


@folds(ProposalMade)
def _proposal_made(state: CampaignState, event: ProposalMade) -> None:
    state.proposals = event.number
    state.pending.append(event)
    if event.author == DISTIL:
        state.distilled.add(event.candidate.id)
    state.spending.proposed(event)
    state.alarm_signals.proposed(event, outside=event.request in state.request_log.taken)


@folds(ProposalRefused)
def _proposal_refused(state: CampaignState, event: ProposalRefused) -> None:
    for one in [one for one in state.pending if one.number == event.number]:
        if not state.intervention_log.rests(one.author, one.number):
            state.alarm_signals.refused(one, event.reason)
        state.refused_in_a_row += one.request not in state.request_log.taken  # nobody outside ends the study
    state.pending = [proposal for proposal in state.pending if proposal.number != event.number]
    state.refused += 1


@folds(ProposalReviewed)
def _proposal_reviewed(state: CampaignState, event: ProposalReviewed) -> None:
    state.intervention_log.reviewed(event)


@folds(HypothesisRegistered)
def _hypothesis_registered(state: CampaignState, event: HypothesisRegistered) -> None:
    state.sweep_changed(event.candidate.id)
    state.pending = [proposal for proposal in state.pending if proposal.number != event.number]
    state.refused_in_a_row = 0
    state.spending.registered(event)
    ground = state.promoted_by.get(event.incumbent)
    hypothesis = state.hypotheses[event.id] = Hypothesis(event, ground, gpus=state.spec.gpus)
    move(state, hypothesis, Phase.SCREENING)
    state.tried_against.setdefault(event.incumbent, {event.incumbent}).add(event.candidate.id)
    state.candidates[event.candidate.id] = event.candidate
    state.sweeps.setdefault(event.candidate.id, {})
    settle_screening(state, hypothesis)


@folds(HypothesisSuperseded)
def _hypothesis_superseded(state: CampaignState, event: HypothesisSuperseded) -> None:
    move(state, state.hypotheses[event.hypothesis], Phase.SUPERSEDED)


@folds(HypothesisWithdrawn)
def _hypothesis_withdrawn(state: CampaignState, event: HypothesisWithdrawn) -> None:
    hypothesis = state.hypotheses[event.hypothesis]
    hypothesis.withdrawn = event.reason
    move(state, hypothesis, Phase.WITHDRAWN)
    state.exploratory.pop(hypothesis.id, None)
    state.requested.pop(hypothesis.id, None)
    state.alarm_signals.withdrawn(hypothesis)


@folds(ConfirmationOpened)
def _confirmation_opened(state: CampaignState, event: ConfirmationOpened) -> None:
    hypothesis = state.hypotheses[event.hypothesis]
    move(state, hypothesis, Phase.CONFIRMING)
    state.promoted_against[event.incumbent.id] += event.attempt == 1
    state.exploratory.pop(hypothesis.id, None)
    state.requested.pop(hypothesis.id, None)
    hypothesis.rule, hypothesis.judged = event, 0
    hypothesis.runs = no_runs()
    state.account = replace(state.account, cash=event.cash, opened=event.position)
    if event.arm:
        arm = state.arms.setdefault(event.arm, Arm(discoveries=state.account.discoveries))
        arm.members.append(hypothesis.id)
        hypothesis.runs[Side.INCUMBENT] = arm.runs


@folds(EvidencePlanned)
def _evidence_planned(state: CampaignState, event: EvidencePlanned) -> None:
    state.account = replace(
        state.account,
        cash=event.cash,
        kept=event.kept,
        horizon=event.first + event.count - 1,
        least=event.least,
    )
    state.planned_for = state.budget


@folds(TailRefuted)
def _tail_refuted(state: CampaignState, event: TailRefuted) -> None:
    state.hypotheses[event.hypothesis].tail_refuted = event


@folds(VerdictReached)
def _verdict_reached(state: CampaignState, event: VerdictReached) -> None:
    hypothesis = state.hypotheses[event.hypothesis]
    hypothesis.verdict = event
    move(state, hypothesis, Phase.ESTIMATING if event.verdict is Verdict.SUPPORTED else Phase.CLOSED)
    state.alarm_signals.judged(event)
    if hypothesis.nearly:
        state.exploratory[hypothesis.id] = hypothesis
    if event.verdict is not Verdict.SUPPORTED:
        shared = hypothesis.rule is not None and len(state.members(hypothesis.rule)) > 1
        sides = [Side.CANDIDATE] if shared else list(Side)
        for run in (run for side in sides for run in hypothesis.runs[side].values()):
            if run.group not in state.in_flight:
                state.plans.pop(run.group, None)
    state.account = replace(state.account, cash=event.cash, discoveries=event.discoveries)


@folds(FindingRecorded)
def _finding_recorded(state: CampaignState, event: FindingRecorded) -> None:
    hypothesis = state.hypotheses[event.hypothesis]
    hypothesis.finding = event
    state.findings.append(hypothesis)
    state.later_runs[hypothesis.id] = []
    move(state, hypothesis, Phase.CLOSED)


@folds(FollowUpsPromised)
def _follow_ups_promised(state: CampaignState, event: FollowUpsPromised) -> None:
    state.hypotheses[event.hypothesis].promised = event.questions


@folds(ReopeningRequested)
def _reopening_requested(state: CampaignState, event: ReopeningRequested) -> None:
    state.requested[event.hypothesis] = state.hypotheses[event.hypothesis]


@folds(AblationPlanned)
def _ablation_planned(state: CampaignState, event: AblationPlanned) -> None:
    state.ablations[event.hypothesis, event.part] = event
    state.rivals.add(event.rival.id)
    state.sweep_changed(event.rival.id)
    state.candidates[event.rival.id] = event.rival
    state.sweeps.setdefault(event.rival.id, {})


@folds(FollowUpOpened)
def _follow_up_opened(state: CampaignState, event: FollowUpOpened) -> None:
    state.following = state.hypotheses[event.hypothesis]
    state.following.follow_ups.append(further := FollowUp(event, state.spec.gpus))
    if further.paid:
        state.account = replace(state.account, cash=event.rule.cash, opened=event.rule.position)


@folds(FollowUpClosed)
def _follow_up_closed(state: CampaignState, event: FollowUpClosed) -> None:
    further = state.hypotheses[event.hypothesis].follow_ups[event.attempt - 1]
    further.closed = event
    state.following = None
    if further.paid:
        state.account = replace(state.account, cash=event.cash, discoveries=event.discoveries)


@folds(IncumbentChanged)
def _incumbent_changed(state: CampaignState, event: IncumbentChanged) -> None:
    state.sweep_changed()
    state.incumbents.append(event)
    state.promoted_by.pop(event.candidate.id, None)
    if event.hypothesis:
        state.promoted_by[event.candidate.id] = state.hypotheses[event.hypothesis]
    state.requested.clear()
    for hypothesis in state.open_hypotheses(Phase.WAITING):
        move(state, hypothesis, Phase.STALE)
    state.candidates[event.candidate.id] = event.candidate
    state.sweeps.setdefault(event.candidate.id, {})


@folds(HoldoutOpened)
def _holdout_opened(state: CampaignState, event: HoldoutOpened) -> None:
    state.holdout.open(event)


@folds(HoldoutAsked)
def _holdout_asked(state: CampaignState, event: HoldoutAsked) -> None:
    state.holdout.ask(event)
    state.spending.queried(event.hypothesis)


@folds(HoldoutAnswered)
def _holdout_answered(state: CampaignState, event: HoldoutAnswered) -> None:
    state.holdout.answer(event)


@folds(HoldoutClosed)
def _holdout_closed(state: CampaignState, event: HoldoutClosed) -> None:
    state.holdout.close(event)
