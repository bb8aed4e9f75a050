"""Events with little to fold: they concern one part of the state, which folds them itself, or single attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from novum.core import events as ev
from novum.core.judgement import Spent

if TYPE_CHECKING:
    from novum.core.state import State


def _holdout_asked(state: State, event: ev.HoldoutAsked) -> None:
    state.holdout.ask(event)
    state.purses.queried(event.hypothesis)


def _model_asked(state: State, event: ev.ModelAsked) -> None:
    state.desk.asked(event)
    state.purses.asked(event)


def _model_replied(state: State, event: ev.ModelReplied) -> None:
    state.desk.replied(event)
    state.purses.replied(event)


def _preflight_recorded(state: State, event: ev.PreflightRecorded) -> None:
    state.preflight = event
    state.set_aside += Spent(event.trials, event.cpu_seconds)


def _late_report(state: State, event: ev.LateReport) -> None:
    state.cpu_seconds += event.cpu_seconds
    state.elapsed = max(state.elapsed, event.elapsed)


def _reopening_requested(state: State, event: ev.ReopeningRequested) -> None:
    state.requested[event.hypothesis] = state.hypotheses[event.hypothesis]


def _ablation_planned(state: State, event: ev.AblationPlanned) -> None:
    state.ablations[event.hypothesis, event.part] = event
    state.rivals.add(event.rival.id)
    state.candidates[event.rival.id] = event.rival
    state.sweeps.setdefault(event.rival.id, {})


def _checkpoint_signed(state: State, event: ev.CheckpointSigned) -> None:
    state.public_key = event.public_key


PARTS: Mapping[type, Callable[[State, Any], None]] = {
    ev.HoldoutOpened: lambda state, event: state.holdout.open(event),
    ev.HoldoutAsked: _holdout_asked,
    ev.HoldoutAnswered: lambda state, event: state.holdout.answer(event),
    ev.HoldoutClosed: lambda state, event: state.holdout.close(event),
    ev.ModelAsked: _model_asked,
    ev.ModelReplied: _model_replied,
    ev.RequestTaken: lambda state, event: state.desk.took(event),
    ev.ApprovalAsked: lambda state, event: state.desk.wants_approval(event),
    ev.ApprovalClosed: lambda state, event: state.desk.closes_approval(event),
    ev.ProposalReviewed: lambda state, event: state.vigil.reviewed(event),
    ev.Commented: lambda state, event: state.vigil.commented(event),
    ev.PreflightRecorded: _preflight_recorded,
    ev.LateReport: _late_report,
    ev.ReopeningRequested: _reopening_requested,
    ev.AblationPlanned: _ablation_planned,
    ev.CheckpointSigned: _checkpoint_signed,
}
