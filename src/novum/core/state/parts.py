"""Events with little to fold: they concern one part of the state, which folds them itself, or single attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from novum.core.events.campaign import CheckpointSigned, PreflightRecorded
from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, ModelAsked, ModelReplied, RequestTaken
from novum.core.events.oversight import Commented, ProposalReviewed
from novum.core.events.trials import LateReport
from novum.core.events.verdicts import (
    AblationPlanned,
    HoldoutAnswered,
    HoldoutAsked,
    HoldoutClosed,
    HoldoutOpened,
    ReopeningRequested,
)
from novum.core.model.budget import Spent

if TYPE_CHECKING:
    from novum.core.state.campaign_state import CampaignState


def _holdout_asked(state: CampaignState, event: HoldoutAsked) -> None:
    state.holdout.ask(event)
    state.spending.queried(event.hypothesis)


def _model_asked(state: CampaignState, event: ModelAsked) -> None:
    state.request_log.asked(event)
    state.spending.asked(event)


def _model_replied(state: CampaignState, event: ModelReplied) -> None:
    state.request_log.replied(event)
    state.spending.replied(event)


def _preflight_recorded(state: CampaignState, event: PreflightRecorded) -> None:
    state.preflight = event
    state.set_aside += Spent(event.trials, event.cpu_seconds)


def _late_report(state: CampaignState, event: LateReport) -> None:
    state.cpu_seconds += event.cpu_seconds
    state.elapsed = max(state.elapsed, event.elapsed)


def _reopening_requested(state: CampaignState, event: ReopeningRequested) -> None:
    state.requested[event.hypothesis] = state.hypotheses[event.hypothesis]


def _ablation_planned(state: CampaignState, event: AblationPlanned) -> None:
    state.ablations[event.hypothesis, event.part] = event
    state.rivals.add(event.rival.id)
    state.candidates[event.rival.id] = event.rival
    state.sweeps.setdefault(event.rival.id, {})


def _checkpoint_signed(state: CampaignState, event: CheckpointSigned) -> None:
    state.public_key = event.public_key


PARTS: Mapping[type, Callable[[CampaignState, Any], None]] = {
    HoldoutOpened: lambda state, event: state.holdout.open(event),
    HoldoutAsked: _holdout_asked,
    HoldoutAnswered: lambda state, event: state.holdout.answer(event),
    HoldoutClosed: lambda state, event: state.holdout.close(event),
    ModelAsked: _model_asked,
    ModelReplied: _model_replied,
    RequestTaken: lambda state, event: state.request_log.took(event),
    ApprovalAsked: lambda state, event: state.request_log.wants_approval(event),
    ApprovalClosed: lambda state, event: state.request_log.closes_approval(event),
    ProposalReviewed: lambda state, event: state.intervention_log.reviewed(event),
    Commented: lambda state, event: state.intervention_log.commented(event),
    PreflightRecorded: _preflight_recorded,
    LateReport: _late_report,
    ReopeningRequested: _reopening_requested,
    AblationPlanned: _ablation_planned,
    CheckpointSigned: _checkpoint_signed,
}
