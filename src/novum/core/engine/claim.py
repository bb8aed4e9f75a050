"""Claims: what is registered before any trial of a candidate."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.events.proposals import HypothesisRegistered, ProposalMade
from novum.core.model.candidate import Candidate
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
        delta=campaign.study.gate.delta,
        parents=proposal.parents,
        rationale=proposal.rationale,
        probability=proposal.probability,
        effect=proposal.effect,
    )


def renewed(campaign: Campaign, old: Hypothesis, against: Candidate, name: str) -> HypothesisRegistered | None:
    """The claim of `old` against another incumbent, if its sweep beat the sweep of that one; else None."""
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
