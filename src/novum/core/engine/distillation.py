"""Distillation: of a finding with several parts, the smallest candidate that may keep its gain.

A part goes when the finding without it was not shown to be worse. The smaller candidate is claimed anew, to lose less
than half of the finding's gain against it, and pays for its confirmation like any other claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.engine.finding_parts import parts, without
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.candidate import Candidate, CandidateSpace
from novum.core.model.errors import StudyError
from novum.core.model.trial_plan import Aim
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import FollowUp, Hypothesis
from novum.core.state.open_questions import unasked

KEPT_SHARE = 0.5
"""Of the finding's gain, the part that the smaller candidate must be shown to keep."""


@dataclass(frozen=True, slots=True)
class Distilled:
    """A smaller candidate: of which finding, without which parts."""

    finding: Hypothesis
    candidate: Candidate
    dropped: tuple[str, ...]


def distilled(state: CampaignState, space: CandidateSpace) -> Distilled | None:
    """The smaller form of the incumbent, once each of its parts has been asked about; None where there is none."""
    finding = state.hypotheses.get(state.incumbent.hypothesis or "")
    if not state.study.follow_up.distil or finding is None or margin(state) is None or finding.retracted:
        return None
    if any(question.aim is Aim.ABLATE for question in unasked(state, finding)):
        return None
    dropped = _dispensable(state.spec, finding)
    if not dropped:
        return None
    try:
        smaller = without(space, state.spec, finding, dropped)
    except StudyError:
        return None
    if smaller.id in state.distilled or smaller.id in state.known(state.incumbent.candidate.id):
        return None
    return Distilled(finding, smaller, dropped)


def margin(state: CampaignState) -> float | None:
    """What a smaller form of the incumbent may lose, in the units of differences; None without a gain to keep."""
    finding = state.hypotheses.get(state.incumbent.hypothesis or "")
    effect = finding.finding.effect if finding and finding.finding else None
    return (1.0 - KEPT_SHARE) * effect if effect and effect > 0 else None


def _dispensable(spec: ArenaSpec, finding: Hypothesis) -> tuple[str, ...]:
    """Parts without which the finding was not shown to be worse; the one that matters most stays in any case."""
    asked = {one.opened.about: one for one in finding.follow_ups if one.opened.aim is Aim.ABLATE and one.closed}
    every = parts(spec, finding)
    free = [part for part in every if part in asked and not _matters(asked[part])]
    if free and len(free) == len(every):
        free.remove(max(free, key=lambda part: _effect(asked[part])))
    return tuple(free)


def _matters(one: FollowUp) -> bool:
    return one.closed is not None and one.closed.verdict is Verdict.SUPPORTED


def _effect(one: FollowUp) -> float:
    return one.closed.effect or 0.0 if one.closed else 0.0
