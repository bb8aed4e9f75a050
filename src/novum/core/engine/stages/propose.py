"""Proposing: one idea asked of the researcher, or a request to a model on its way to one."""

from __future__ import annotations

import random
from dataclasses import fields

from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.dispatch import price, refuses_payer
from novum.core.engine.stages.admission import first_look
from novum.core.events.event import Event
from novum.core.events.models_and_people import ModelAsked, ModelReplied
from novum.core.events.oversight import Commented
from novum.core.events.proposals import ProposalMade
from novum.core.model.budget import Share, Spent
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.errors import StudyError
from novum.core.model.model_call import COMMENT, COMMENTS, ModelCall, ModelRequest, Reply
from novum.core.model.ports import Researcher
from novum.core.model.proposal import Pending, Proposal
from novum.core.state.approvals import SPEND, Permission, ask_for, permission, spending
from novum.core.state.hypothesis import Phase
from novum.core.state.interventions import member
from novum.core.state.spending import Payer
from novum.core.state.study_views.researcher_view import NETWORK, view_of

LOCAL = "local"
"""What a model that runs on this machine is called: asking it needs no network."""

CONTROL = "random"
"""Who proposes while the study's own researcher rests, and now and then on a plateau."""

PATIENCE = 200
"""Refusals in a row after which a researcher counts as out of ideas."""


def propose(campaign: Campaign) -> list[Event]:
    """Ask for one idea while fewer are being screened than the study allows, or than there are slots for."""
    # What waits for people holds up nobody, but there is no point in asking them ever more.
    begun = max(campaign.state.count(Phase.SCREENING), len(campaign.state.request_log.waiting))
    if begun >= max(campaign.study.screening.waiting, campaign.context.slots) or len(campaign.state.pending) > len(
        campaign.state.request_log.waiting
    ):
        return []
    if campaign.state.refused_in_a_row >= PATIENCE or campaign.context.governor.refuses(
        campaign.state.spent, Spent(trials=1)
    ):
        return []
    number = campaign.state.proposals + 1
    name, researcher = _whose_turn(campaign, number)
    if spent_share(campaign, name):
        return []
    rng = random.Random(f"{campaign.study.seed}:{name}:{number}")
    said = researcher.propose(view_of(campaign.state, campaign.context.arena, number, _spent_members(campaign)), rng)
    if said is None:
        return []
    if isinstance(said, Pending):
        return [*_settled(said.consulted), *_comments(said), *_reserved(campaign, said.ask)]
    return [*_settled(said.consulted), _made(campaign.context, said, number, name)]


def spent_share(campaign: Campaign, author: str) -> str | None:
    """Why the budget of an author does not reach for a first look at another candidate, or None."""
    if not campaign.study.budgets.researchers:
        return None
    return refuses_payer(
        campaign, price(campaign.state, first_look(campaign.context), campaign.context.slots), Payer("", author)
    )


def _whose_turn(campaign: Campaign, number: int) -> tuple[str, Researcher]:
    """The study's researcher; the control while that one rests, and for every second idea on a plateau."""
    name = campaign.study.researcher.name
    if campaign.context.control and (
        campaign.state.intervention_log.rests(name, number)
        or (number < campaign.state.intervention_log.exploring and number % 2)
    ):
        return CONTROL, campaign.context.control
    return name, campaign.context.researcher


def _spent_members(campaign: Campaign) -> frozenset[str]:
    """Researchers that have used up their budget: a portfolio asks the others."""
    known = {member(name) for name in campaign.state.spending.authors} if campaign.study.budgets.researchers else set()
    return frozenset(name for name in known if spent_share(campaign, name))


def _made(context: LabContext, said: Proposal, number: int, name: str) -> ProposalMade:
    return ProposalMade(
        number=number,
        author=said.author or name,
        candidate=_candidate(context, said.genome),
        parents=said.parents,
        rationale=said.rationale,
        probability=said.probability,
        effect=said.effect,
        request=said.consulted[-1].request if said.consulted else "",
        searched=said.searched,
        search_seconds=said.search_seconds,
    )


def _settled(consulted: tuple[ModelCall, ...]) -> list[Event]:
    """What models answered; the loop puts prompt and reply where artefacts are kept."""
    return [ModelReplied(**{one.name: getattr(each, one.name) for one in fields(each)}) for each in consulted]


def _comments(said: Pending) -> list[Event]:
    """What models remark; it is kept, and nothing follows from it."""
    return [Commented(one.about, one.author, one.text, one.request) for one in said.comments]


def _reserved(campaign: Campaign, ask: ModelRequest | None) -> list[Event]:
    """Means set aside for a request to a model, people asked about it, or the reason why it is not sent."""
    if ask is None or ask.request in campaign.state.request_log.reserved:
        return []
    demand = Spent(tokens=ask.tokens, money=ask.money)
    if reason := campaign.context.governor.refuses(campaign.state.spent, demand) or _beyond_share(
        campaign, ask, demand
    ):
        return _unsent(ask, Reply.UNAFFORDABLE, reason)
    policy, approvals, now = campaign.study.policy, campaign.state.request_log.approvals, campaign.state.wall_seconds
    if ask.model.partition(":")[0] != LOCAL:
        match _said(ask, permission(policy, approvals, NETWORK, ask.author, ask.model)):
            case Permission.NEEDED:
                return [ask_for(NETWORK, ask.author, ask.model, f"ask {ask.model} over the network", now, policy)]
            case Permission.REFUSED:
                return _unsent(ask, Reply.FORBIDDEN, f"the policy does not let {ask.author} ask {ask.model}")
            case Permission.WAITING:
                return []
    match _said(ask, spending(policy, approvals, ask.author, ask.request, demand)):
        case Permission.NEEDED:
            words = f"ask {ask.model}: at most {ask.tokens:,} tokens, {ask.money:.4f} dollars"
            return [ask_for(SPEND, ask.author, ask.request, words, now, policy)]
        case Permission.REFUSED:
            return _unsent(ask, Reply.FORBIDDEN, f"nobody allowed {ask.author} to spend {ask.money:.4f} dollars on it")
        case Permission.WAITING:
            return []
    return [ModelAsked(ask.request, ask.model, ask.author, ask.tokens, ask.money)]


def _said(ask: ModelRequest, policy: Permission) -> Permission:
    """What the policy says of a request. People are not troubled for a comment, and no lab waits for them to answer."""
    open_question = policy in (Permission.NEEDED, Permission.WAITING)
    return Permission.REFUSED if ask.author == COMMENTS and open_question else policy


def _unsent(ask: ModelRequest, outcome: Reply, reason: str) -> list[Event]:
    """The end of a request that is not sent."""
    template = COMMENT if ask.author == COMMENTS else ""
    return _settled((ModelCall(ask.request, ask.model, outcome, reason, template),))


def _beyond_share(campaign: Campaign, ask: ModelRequest, demand: Spent) -> str | None:
    """Why the budget of the author, or of the hypothesis to come, does not reach for a request."""
    reason = refuses_payer(campaign, demand, Payer("", ask.author))
    if reason or ask.author == COMMENTS:  # of comments no hypothesis comes
        return reason
    own = Share(
        "the budget of a hypothesis",
        campaign.study.budgets.hypothesis,
        campaign.state.spending.by_next_proposal(ask.author),
    )
    return campaign.context.governor.refuses_share(own, demand)


def _candidate(context: LabContext, genome: Genome) -> Candidate:
    """A candidate in normal form; a genome outside the space is kept as it is and refused at admission."""
    try:
        return Candidate(context.arena.space.validate(genome))
    except StudyError:
        return Candidate(genome)
