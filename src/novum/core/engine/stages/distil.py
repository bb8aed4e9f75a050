"""Distil: once an incumbent's parts have been asked about, its smallest form is proposed and claimed anew."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.engine.distillation import distilled
from novum.core.events.event import Event
from novum.core.events.proposals import ProposalMade
from novum.core.model.identity import DISTIL


def distil(campaign: Campaign) -> list[Event]:
    """The proposal of a smaller candidate, if one is due."""
    found = distilled(campaign.state, campaign.context.arena.space)
    if found is None:
        return []
    words = f"{found.finding.id} without {', '.join(found.dropped)}, which were not shown to matter"
    parents, number = (found.finding.id,), campaign.state.proposals + 1
    return [ProposalMade(number, DISTIL, found.candidate, parents, words, 0.5, 0.0)]
