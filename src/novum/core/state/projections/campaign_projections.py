"""Projections of a campaign's frame: sessions, models and people, oversight."""

from __future__ import annotations

from novum.core.events.campaign import (
    CampaignOpened,
    CheckpointSigned,
    PreflightRecorded,
    SessionEnded,
    SessionStarted,
)
from novum.core.events.models_and_people import ApprovalAsked, ApprovalClosed, ModelAsked, ModelReplied, RequestTaken
from novum.core.events.oversight import Commented, Intervened
from novum.core.model.budget import Spent
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import folds
from novum.core.state.hypothesis import Phase
from novum.core.state.projections.phases import is_current, move


@folds(CampaignOpened)
def _campaign_opened(state: CampaignState, event: CampaignOpened) -> None:
    state.opened, state.study, state.spec = True, event.study, event.card
    state.code, state.secret_commitment = event.code, event.secret_commitment
    state.alarm_signals.opened(event.study, event.card)


@folds(SessionStarted)
def _session_started(state: CampaignState, event: SessionStarted) -> None:
    state.sweep_changed()
    state.earlier_sessions += state.elapsed
    state.session, state.session_open, state.elapsed = event.session, True, 0.0
    state.schema = event.schema
    state.budget, state.workers, state.provenance = event.budget, event.workers, event.provenance
    state.nothing_in_flight()
    state.machines.session_over(0.0)
    state.spending.ended()
    state.request_log.resumed()
    state.intervention_log.resumed()
    state.alarm_signals.resumed()


@folds(SessionEnded)
def _session_ended(state: CampaignState, event: SessionEnded) -> None:
    state.sweep_changed()
    state.elapsed = max(state.elapsed, event.elapsed)
    state.session_open, state.end_reason = False, event.reason
    state.nothing_in_flight()
    state.machines.session_over(event.elapsed)
    state.spending.ended()


@folds(Intervened)
def _intervened(state: CampaignState, event: Intervened) -> None:
    state.intervention_log.intervened(event)
    state.alarm_signals.intervened(event, _incumbent_of(state, event.subject))
    if event.alarm is Alarm.TOO_GOOD and (hypothesis := state.hypotheses.get(event.subject)):
        if event.step is Step.QUARANTINE:
            move(state, hypothesis, Phase.QUARANTINED)
        elif event.step is Step.RELEASE:
            move(state, hypothesis, Phase.WAITING if is_current(state, hypothesis) else Phase.STALE)


@folds(ModelAsked)
def _model_asked(state: CampaignState, event: ModelAsked) -> None:
    state.request_log.asked(event)
    state.spending.asked(event)


@folds(ModelReplied)
def _model_replied(state: CampaignState, event: ModelReplied) -> None:
    state.request_log.replied(event)
    state.spending.replied(event)


@folds(PreflightRecorded)
def _preflight_recorded(state: CampaignState, event: PreflightRecorded) -> None:
    state.preflight = event
    state.set_aside += Spent(event.trials, event.cpu_seconds)


@folds(CheckpointSigned)
def _checkpoint_signed(state: CampaignState, event: CheckpointSigned) -> None:
    state.public_key = event.public_key


@folds(RequestTaken)
def _request_taken(state: CampaignState, event: RequestTaken) -> None:
    state.request_log.took(event)


@folds(ApprovalAsked)
def _approval_asked(state: CampaignState, event: ApprovalAsked) -> None:
    state.request_log.wants_approval(event)


@folds(ApprovalClosed)
def _approval_closed(state: CampaignState, event: ApprovalClosed) -> None:
    state.request_log.closes_approval(event)


@folds(Commented)
def _commented(state: CampaignState, event: Commented) -> None:
    state.intervention_log.commented(event)


def _incumbent_of(state: CampaignState, subject: str) -> str | None:
    """The incumbent that a hypothesis is claimed against; None for a subject that is no hypothesis."""
    known = state.hypotheses.get(subject)
    return known.registered.incumbent if known else None
