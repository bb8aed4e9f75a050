"""Admission: is an idea worth a trial, may it be tried, can it be paid? All of it is answered before any trial."""

from __future__ import annotations

from novum.core.approval import Permission, about, ask_for, permission
from novum.core.dispatch import price, refuses_payer
from novum.core.errors import StudyError
from novum.core.events import Event, HypothesisRegistered, ProposalMade, ProposalRefused, ProposalReviewed
from novum.core.house import House
from novum.core.nouns import Cost
from novum.core.purse import Payer
from novum.core.register import claim
from novum.core.state import State

PROPOSE = "propose"


def admit(state: State, house: House) -> list[Event]:
    """Refuse an idea that is not worth a trial, or register it. One at a time: the next may be the same one again."""
    for proposal in state.pending:
        allowed = permitted(state, house, proposal)
        # What waits for people was looked at when they were asked.
        seen = allowed is Permission.WAITING or proposal.number in state.vigil.reviews
        objection, cost = _objection(state, house, proposal)
        remarks = () if objection or seen else tuple(house.critic.review(state, proposal, cost))
        review: list[Event] = [ProposalReviewed(proposal.number, remarks)] if remarks else []
        if not objection:
            objection = next((one.words for one in remarks if one.refuses), "") or _unpaid(state, house, proposal)
        if objection:
            return [*review, ProposalRefused(proposal.number, objection)]
        match allowed:
            case Permission.GRANTED:
                return [*review, register(state, house, proposal)]
            case Permission.REFUSED:
                return [*review, ProposalRefused(proposal.number, _denied(state, proposal))]
            case Permission.NEEDED:
                now, policy = state.wall_seconds, house.study.policy
                words = f"candidate {proposal.candidate.id}: {proposal.rationale or 'no reason given'}"
                return [*review, ask_for(PROPOSE, proposal.author, proposal.candidate.digest, words, now, policy)]
    return []


def permitted(state: State, house: House, proposal: ProposalMade) -> Permission:
    """What the policy says of trying a proposal."""
    candidate, approvals = proposal.candidate.digest, state.desk.approvals
    return permission(house.study.policy, approvals, PROPOSE, proposal.author, candidate)


def register(state: State, house: House, proposal: ProposalMade) -> HypothesisRegistered:
    """The claim that the proposal amounts to, before any trial of it."""
    return claim(state, house, proposal, f"h{len(state.hypotheses) + 1}")


def first_look(house: House) -> int:
    """Trials of a candidate's first rung: the least that trying it takes."""
    screening = house.study.screening
    return len(house.arena.card.tuning) * min(screening.first_seeds, screening.seeds)


def _unpaid(state: State, house: House, proposal: ProposalMade) -> str:
    """Why the author's own budget does not reach for a first look, or nothing."""
    if not house.study.budgets.given:
        return ""
    payer = Payer("a hypothesis", proposal.author)
    return refuses_payer(state, house, price(state, first_look(house), house.slots), payer) or ""


def _denied(state: State, proposal: ProposalMade) -> str:
    known = about(state.desk.approvals, PROPOSE, proposal.author, proposal.candidate.digest)
    return known.closed.reason if known and known.closed else f"the policy does not let {proposal.author} propose"


def _objection(state: State, house: House, proposal: ProposalMade) -> tuple[str, Cost]:
    """What makes a proposal none at all, or nothing and what the candidate costs by construction."""
    incumbent = state.incumbent.candidate
    if proposal.candidate.id == incumbent.id:
        return "identical to the incumbent after normalisation", Cost()
    if proposal.candidate.id in state.known(incumbent.id):
        return "already tried against this incumbent", Cost()
    if state.vigil.rests(proposal.author, proposal.number):
        return f"the watchdog lets {proposal.author} rest: see `novum interventions`", Cost()
    try:
        if twin := _twin(state, house, proposal):
            return f"the same program as candidate {twin} after normalisation, which was tried already", Cost()
        return "", house.arena.cost(proposal.candidate.genome)
    except StudyError as error:
        return str(error), Cost()


def _twin(state: State, house: House, proposal: ProposalMade) -> str:
    """A candidate, tried against this incumbent or the incumbent itself, that cannot behave differently."""
    space, mine = house.arena.space, proposal.candidate
    key = space.key(mine.genome)
    if key == mine.id:
        return ""  # a space without twins: equal candidates have equal ids
    known = state.known(state.incumbent.candidate.id)
    return next((name for name in sorted(known) if space.key(state.candidates[name].genome) == key), "")
