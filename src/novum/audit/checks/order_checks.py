"""Whether events come in their order: numbers without holes, clocks that go on, nothing twice, and nothing too early.

What is numbered cannot be taken out, put in or written twice without a hole or a repetition that is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from novum.audit.score_checks import Rules
from novum.core.engine.stages.confirm import request
from novum.core.events.campaign import SessionEnded, SessionStarted
from novum.core.events.event import Event
from novum.core.events.models_and_people import RequestTaken
from novum.core.events.proposals import HypothesisSuperseded, ProposalMade, ProposalRefused
from novum.core.events.trials import CandidateTuned, GroupDispatched, LateReport, ScaleMeasured, TrialFinished
from novum.core.events.verdicts import (
    AblationPlanned,
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    ReopeningRequested,
    VerdictReached,
)
from novum.core.model.errors import IntegrityError, UserError
from novum.core.model.request import Act
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Purpose
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase
from novum.text.format import cut

Checks = Mapping[type[Event], Callable[[Any, CampaignState, Rules], None]]
"""What an event of a kind is held to, given the state before it. Raises IntegrityError."""

_BACKWARDS = 1e-6
"""Seconds by which a clock may seem to go back: no more than it is rounded by."""

Timed = GroupDispatched | TrialFinished | LateReport | SessionEnded


def check_clock(event: Timed, state: CampaignState, _: Rules) -> None:
    """Hold the second of an event against those before it. Raises IntegrityError."""
    if event.elapsed < state.elapsed - _BACKWARDS:
        raise IntegrityError(
            f"it happened in second {event.elapsed:.6g} of its session, after an event of second {state.elapsed:.6g}"
        )


def _started(event: SessionStarted, state: CampaignState, _: Rules) -> None:
    if event.session != state.session + 1:
        raise IntegrityError(f"session {event.session} follows on session {state.session}: one is missing or doubled")


def _ended(event: SessionEnded, state: CampaignState, _: Rules) -> None:
    if not state.session_open or event.session != state.session:
        raise IntegrityError(f"session {event.session} ends, and it is not open")


def _dispatched(event: GroupDispatched, state: CampaignState, _: Rules) -> None:
    plan, due = event.plan, f"g{state.dispatched + 1}"
    if plan.id != due:
        raise IntegrityError(f"trial group {plan.id} was sent where {due} was next: groups are missing or doubled")
    if not state.session_open or event.session != state.session:
        raise IntegrityError(f"{plan.id} was sent in session {event.session}, which is not open")
    length = state.study.screening.fidelity if plan.purpose is Purpose.SCREEN else 1.0
    if plan.fidelity != length:
        raise IntegrityError(f"{plan.id} runs trials of length {plan.fidelity:g} where the study wants {length:g}")
    if plan.looks and plan.purpose is not Purpose.SCREEN:
        raise IntegrityError(f"{plan.id} may be ended early by its progress, which only screening may be")
    if plan.candidate.id not in state.candidates:
        waiting = ", ".join(
            f"{one.id} (candidate {one.candidate.id})" for one in state.open_hypotheses(Phase.SCREENING)[:3]
        )
        raise IntegrityError(
            f"{plan.id} runs candidate {plan.candidate.id}, which is of no hypothesis, incumbent or rival: its genome "
            f"or theirs was changed{f'; waiting for trials: {waiting}' if waiting else ''}"
        )


def _finished(event: TrialFinished, state: CampaignState, _: Rules) -> None:
    if event.trial != f"{event.group}.{event.member}":
        raise IntegrityError(f"trial {event.trial} is called otherwise than member {event.member} of {event.group}")
    if (event.kind is OutcomeKind.SCORED) != (event.score is not None):
        raise IntegrityError(f"trial {event.trial} is recorded as {event.kind} with the score {event.score}")
    if event.kind is OutcomeKind.STOPPED and not state.plan(event.group).looks:
        raise IntegrityError(f"trial {event.trial} was ended early by its progress, which its plan does not allow")


def _late(event: LateReport, state: CampaignState, _: Rules) -> None:
    number = event.group.removeprefix("g")
    if not number.isdecimal() or not 0 < int(number) <= state.dispatched:
        raise IntegrityError(f"{cut(event.group, 40)} reported late, and was never sent")


def _proposed(event: ProposalMade, state: CampaignState, _: Rules) -> None:
    if event.number != state.proposals + 1:
        raise IntegrityError(
            f"proposal {event.number} follows on proposal {state.proposals}: one is missing or doubled"
        )
    if not 0.0 <= event.probability <= 1.0:
        raise IntegrityError(f"proposal {event.number} has the probability {event.probability:g}")


def _refused(event: ProposalRefused, state: CampaignState, _: Rules) -> None:
    if all(one.number != event.number for one in state.pending):
        raise IntegrityError(f"proposal {event.number} was refused, and did not wait for anything")


def _superseded(event: HypothesisSuperseded, state: CampaignState, _: Rules) -> None:
    if state.hypotheses[event.hypothesis].phase is not Phase.STALE:
        raise IntegrityError(f"{event.hypothesis} was closed as superseded, and its incumbent is still the one to beat")


def _confirmed(event: ConfirmationOpened, state: CampaignState, _: Rules) -> None:
    phase = state.hypotheses[event.hypothesis].phase
    if phase not in (Phase.WAITING, Phase.CLOSED) or state.hypotheses[event.hypothesis].finding:
        raise IntegrityError(f"a confirmation of {event.hypothesis} was opened while it was {phase}")
    if event.attempt > 1 + state.study.gate.reopenings and event.hypothesis not in state.requested:
        raise IntegrityError(
            f"{event.hypothesis} was opened as attempt {event.attempt}, which neither the study nor anybody asked for"
        )


def _judged(event: VerdictReached, state: CampaignState, _: Rules) -> None:
    phase = state.hypotheses[event.hypothesis].phase
    if phase is not Phase.CONFIRMING:
        raise IntegrityError(f"a verdict on {event.hypothesis} was reached while it was {phase}")


def _found(event: FindingRecorded, state: CampaignState, _: Rules) -> None:
    one = state.hypotheses[event.hypothesis]
    if one.finding or event.attempt != one.attempt:
        raise IntegrityError(
            f"the finding on {event.hypothesis} is recorded twice, or of another attempt than its last"
        )


def _asked(event: FollowUpClosed, state: CampaignState, _: Rules) -> None:
    one = state.following
    if one is None or (event.hypothesis, event.attempt) != (one.id, len(one.follow_ups)):
        raise IntegrityError(f"question {event.attempt} to {event.hypothesis} was closed, and is not open")


def _planned(event: AblationPlanned, state: CampaignState, _: Rules) -> None:
    if (event.hypothesis, event.part) in state.ablations:
        raise IntegrityError(f"{event.hypothesis} without {event.part} is planned twice")


def _reopened(event: ReopeningRequested, state: CampaignState, _: Rules) -> None:
    try:
        request(state, event.hypothesis)
    except UserError as error:
        raise IntegrityError(str(error)) from None


def _measured(event: ScaleMeasured, state: CampaignState, _: Rules) -> None:
    if event.source is Purpose.CALIBRATE and event.candidate in state.scales:
        raise IntegrityError(f"the noise of candidate {event.candidate} is measured twice")


def _tuned(event: CandidateTuned, state: CampaignState, _: Rules) -> None:
    known = state.tuned.get(event.candidate)
    if known and known.seeds >= event.seeds:
        raise IntegrityError(f"the sweep of candidate {event.candidate} is closed twice")


def _taken(event: RequestTaken, state: CampaignState, _: Rules) -> None:
    # One to stop is taken down again when the process was killed before it could put it away.
    if event.request in state.request_log.taken and event.act is not Act.STOP:
        raise IntegrityError(f"the request {cut(event.request, 40)} is taken twice")


CLOCKS: Checks = dict.fromkeys((GroupDispatched, TrialFinished, LateReport, SessionEnded), check_clock)
ORDER: Checks = {
    SessionStarted: _started,
    SessionEnded: _ended,
    GroupDispatched: _dispatched,
    TrialFinished: _finished,
    LateReport: _late,
    ProposalMade: _proposed,
    ProposalRefused: _refused,
    HypothesisSuperseded: _superseded,
    ConfirmationOpened: _confirmed,
    VerdictReached: _judged,
    FindingRecorded: _found,
    FollowUpClosed: _asked,
    AblationPlanned: _planned,
    ReopeningRequested: _reopened,
    ScaleMeasured: _measured,
    CandidateTuned: _tuned,
    RequestTaken: _taken,
}
