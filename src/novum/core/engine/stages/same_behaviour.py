"""Candidates that behave as their incumbent does: the same scores on the same seeds, so nothing is left to learn."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.events.event import Event
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase

ENOUGH = 4
DISTINCT = 0.9
"""Of at least so many runs of an incumbent so large a share of different scores: then an equal one is no accident."""


def withdraw_the_same(campaign: Campaign) -> list[Event]:
    """Close hypotheses whose first look gave exactly the scores that their incumbent's gave on the same seeds."""
    state, unswept = campaign.state, campaign.unswept
    changed = state.sweeps_changed_since(unswept.compared)
    if not changed:
        return []
    incumbent = state.incumbent.candidate.id
    first = min(state.study.screening.first_seeds, state.study.screening.seeds)
    known = {at: score for at, score in state.sweep_scores.get(incumbent, {}).items() if at[1] < first}
    if not known or None in known.values() or not _is_fine_grained(state):
        return []
    waiting = state.open_hypotheses(Phase.SCREENING) if "" in changed else state.screening_among(changed)
    unswept.compared = state.revision
    return [
        HypothesisWithdrawn(one.id, "it behaves as its incumbent does: its first look gave exactly the same scores")
        for one in waiting
        if one.registered.incumbent == incumbent and one.candidate.id not in state.rungs
        if {at: run.score for at, run in state.sweeps.get(one.candidate.id, {}).items()} == known
    ]


def _is_fine_grained(state: CampaignState) -> bool:
    """Whether the incumbent's scores differ from seed to seed: not for deterministic programs, nor for few levels."""
    incumbent = state.incumbent
    runs = [*state.calibration.get(incumbent.candidate.id, {}).values()]
    if incumbent.hypothesis:
        runs += state.hypotheses[incumbent.hypothesis].runs[Side.CANDIDATE].values()
    scores = [run.score for run in runs if run.score is not None]
    scores += [score for score in state.sweep_scores[incumbent.candidate.id].values() if score is not None]
    return len(scores) >= ENOUGH and len(set(scores)) >= DISTINCT * len(scores)
