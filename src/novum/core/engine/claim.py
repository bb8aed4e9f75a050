"""Claims: what is registered before any trial of a candidate."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.engine.distillation import margin
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.model.candidate import Candidate
from novum.core.model.identity import DISTIL
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def claim(
    campaign: Campaign, proposal: ProposalMade, name: str, against: Candidate | None = None
) -> HypothesisRegistered:
    """The registered form of a proposal: X beats the incumbent on the metric by more than delta."""
    return HypothesisRegistered(
        id=name,
        number=proposal.number,
        author=proposal.author,
        candidate=proposal.candidate,
        cost=campaign.context.arena.cost(proposal.candidate.genome),
        incumbent=(against or campaign.state.incumbent.candidate).id,
        metric=campaign.spec.metric,
        higher_is_better=campaign.spec.higher_is_better,
        delta=claimed_delta(campaign.state, proposal.author),
        parents=proposal.parents,
        rationale=proposal.rationale,
        probability=proposal.probability,
        effect=proposal.effect,
    )


def claimed_delta(state: CampaignState, author: str) -> float:
    """By how much a candidate is claimed to beat the incumbent; a smaller form of it may lose a part of its gain."""
    lost = margin(state) if author == DISTIL else None
    return state.study.gate.delta if lost is None else -lost


def renewed(campaign: Campaign, old: Hypothesis, against: Candidate, name: str) -> HypothesisRegistered | None:
    """The claim of `old` against another incumbent, if its sweep beat the sweep of that one; else None."""
    if old.registered.author == DISTIL:
        return None
    seeds = campaign.state.tuned[old.candidate.id].seeds if old.candidate.id in campaign.state.tuned else 0
    if seeds < campaign.study.screening.seeds:
        return None
    if (campaign.state.gain(old.candidate.id, against.id) or 0.0) <= 0 or old.candidate.id in campaign.state.known(
        against.id
    ):
        return None
    past = old.registered
    again = ProposalMade(
        past.number,
        past.author,
        past.candidate,
        (old.id,),
        f"again, against the new incumbent: {past.rationale}",
        past.probability,
        past.effect,
    )
    return claim(campaign, again, name, against)
