"""Admission: is an idea worth a trial, may it be tried, can it be paid? All of it is answered before any trial."""

from __future__ import annotations

from novum.core.engine.claim import claim
from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.dispatch import price, refuses_payer
from novum.core.events.event import Event
from novum.core.events.oversight import ProposalReviewed
from novum.core.events.proposals import HypothesisRegistered, ProposalMade, ProposalRefused
from novum.core.model.candidate import Cost
from novum.core.model.errors import StudyError
from novum.core.state.approvals import Permission, about, ask_for, permission
from novum.core.state.campaign_state import CampaignState
from novum.core.state.spending import Payer

PROPOSE = "propose"


def admit(campaign: Campaign) -> list[Event]:
    """Refuse an idea that is not worth a trial, or register it. One at a time: the next may be the same one again."""
    for proposal in campaign.state.pending:
        allowed = permitted(campaign, proposal)
        # What waits for people was looked at when they were asked.
        seen = allowed is Permission.WAITING or proposal.number in campaign.state.intervention_log.reviews
        objection, cost = _objection(campaign, proposal)
        remarks = () if objection or seen else tuple(campaign.context.critic.review(campaign.state, proposal, cost))
        review: list[Event] = [ProposalReviewed(proposal.number, remarks)] if remarks else []
        if not objection:
            objection = next((one.words for one in remarks if one.refuses), "") or _unpaid(campaign, proposal)
        if objection:
            return [*review, ProposalRefused(proposal.number, objection)]
        match allowed:
            case Permission.GRANTED:
                return [*review, register(campaign, proposal)]
            case Permission.REFUSED:
                return [*review, ProposalRefused(proposal.number, _denied(campaign.state, proposal))]
            case Permission.NEEDED:
                now, policy = campaign.state.wall_seconds, campaign.study.policy
                words = f"candidate {proposal.candidate.id}: {proposal.rationale or 'no reason given'}"
                return [*review, ask_for(PROPOSE, proposal.author, proposal.candidate.digest, words, now, policy)]
    return []


def permitted(campaign: Campaign, proposal: ProposalMade) -> Permission:
    """What the policy says of trying a proposal."""
    candidate, approvals = proposal.candidate.digest, campaign.state.request_log.approvals
    return permission(campaign.study.policy, approvals, PROPOSE, proposal.author, candidate)


def register(campaign: Campaign, proposal: ProposalMade) -> HypothesisRegistered:
    """The claim that the proposal amounts to, before any trial of it."""
    return claim(campaign, proposal, f"h{len(campaign.state.hypotheses) + 1}")


def first_look(context: LabContext) -> int:
    """Trials of a candidate's first rung: the least that trying it takes."""
    screening = context.study.screening
    return len(context.arena.spec.tuning) * min(screening.first_seeds, screening.seeds)


def _unpaid(campaign: Campaign, proposal: ProposalMade) -> str:
    """Why the author's own budget does not reach for a first look, or nothing."""
    if not campaign.study.budgets.given:
        return ""
    payer = Payer("a hypothesis", proposal.author)
    return (
        refuses_payer(campaign, price(campaign.state, first_look(campaign.context), campaign.context.slots), payer)
        or ""
    )


def _denied(state: CampaignState, proposal: ProposalMade) -> str:
    known = about(state.request_log.approvals, PROPOSE, proposal.author, proposal.candidate.digest)
    return known.closed.reason if known and known.closed else f"the policy does not let {proposal.author} propose"


def _objection(campaign: Campaign, proposal: ProposalMade) -> tuple[str, Cost]:
    """What makes a proposal none at all, or nothing and what the candidate costs by construction."""
    incumbent = campaign.state.incumbent.candidate
    if proposal.candidate.id == incumbent.id:
        return "identical to the incumbent after normalisation", Cost()
    if proposal.candidate.id in campaign.state.known(incumbent.id):
        return "already tried against this incumbent", Cost()
    if campaign.state.intervention_log.rests(proposal.author, proposal.number):
        return f"the watchdog lets {proposal.author} rest: see `novum interventions`", Cost()
    try:
        if twin := _twin(campaign, proposal):
            return f"the same program as candidate {twin} after normalisation, which was tried already", Cost()
        return "", campaign.context.arena.cost(proposal.candidate.genome)
    except StudyError as error:
        return str(error), Cost()


def _twin(campaign: Campaign, proposal: ProposalMade) -> str:
    """A candidate, tried against this incumbent or the incumbent itself, that cannot behave differently."""
    space, mine = campaign.context.arena.space, proposal.candidate
    key = space.key(mine.genome)
    if key == mine.id:
        return ""  # a space without twins: equal candidates have equal ids
    known = campaign.state.known(campaign.state.incumbent.candidate.id)
    return next((name for name in sorted(known) if space.key(campaign.state.candidates[name].genome) == key), "")
