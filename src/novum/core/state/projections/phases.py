"""Moving hypotheses from phase to phase. Only projections call this."""

from __future__ import annotations

from novum.core.state.alarm_signals import Screening
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase


def move(state: CampaignState, hypothesis: Hypothesis, phase: Phase) -> None:
    """Put a hypothesis into a phase; one that waits joins the queue for confirmation if it is promising."""
    state.by_phase[hypothesis.phase].pop(hypothesis.id, None)
    state.confirmation_queue.drop(hypothesis.id)
    if hypothesis.phase is Phase.SCREENING and (others := state.screening_of.get(hypothesis.candidate.id)):
        others.pop(hypothesis.id, None)
        if not others:
            del state.screening_of[hypothesis.candidate.id]
    if phase is Phase.SCREENING:
        state.screening_of.setdefault(hypothesis.candidate.id, {})[hypothesis.id] = state.revision
    hypothesis.phase = phase
    state.by_phase[phase][hypothesis.id] = hypothesis
    if phase is Phase.WAITING and state.is_promising(hypothesis):
        state.confirmation_queue.add(hypothesis, state.advantage(hypothesis) or 0.0)


def is_current(state: CampaignState, hypothesis: Hypothesis) -> bool:
    """Whether a hypothesis is claimed against the present incumbent."""
    return hypothesis.registered.incumbent == state.incumbent.candidate.id


def rank_again(state: CampaignState, candidate: str) -> None:
    """The level of a candidate has become known: if it is the incumbent's, see who beats it."""
    if candidate == state.incumbent.candidate.id:
        for hypothesis in state.open_hypotheses(Phase.WAITING):
            move(state, hypothesis, Phase.WAITING)


def settle_screening(state: CampaignState, hypothesis: Hypothesis) -> None:
    """End the screening of a hypothesis if its candidate's sweep is complete."""
    if tuned := state.tuned.get(hypothesis.candidate.id):
        fit = Phase.WAITING if is_current(state, hypothesis) else Phase.STALE
        move(state, hypothesis, Phase.FAILED if tuned.score is None else fit)
        state.screened.append(hypothesis)
        state.screened_against[hypothesis.registered.incumbent] += 1
        _signal_screened(state, hypothesis)


def _signal_screened(state: CampaignState, hypothesis: Hypothesis) -> None:
    """Tell the alarm signals that the screening of a hypothesis has ended."""
    state.alarm_signals.screened(
        hypothesis,
        Screening(
            score=state.tuned[hypothesis.candidate.id].score,
            gain=state.advantage(hypothesis),
            doubt=state.doubt(hypothesis),
            cost=state.sweep_costs.get(hypothesis.candidate.id),
            renewed=state.is_renewed(hypothesis),
        ),
    )
