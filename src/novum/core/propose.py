"""Proposing: one idea asked of the researcher, or a request to a model on its way to one."""

from __future__ import annotations

import random
from dataclasses import fields

from novum.core.admit import first_look
from novum.core.approval import SPEND, Permission, ask_for, permission, spending
from novum.core.dealings import COMMENT, COMMENTS
from novum.core.dispatch import price, refuses_payer, spent
from novum.core.errors import StudyError
from novum.core.events import Commented, Event, ModelAsked, ModelReplied, ProposalMade, Reply
from novum.core.house import House
from novum.core.hypothesis import Phase
from novum.core.judgement import Share, Spent
from novum.core.nouns import Candidate, Genome
from novum.core.ports import Researcher
from novum.core.purse import Payer
from novum.core.state import State
from novum.core.view import Consultation, Proposal, Thought
from novum.core.vigil import member
from novum.core.window import NETWORK, view_of

LOCAL = "local"
"""What a model that runs on this machine is called: asking it needs no network."""

CONTROL = "random"
"""Who proposes while the study's own researcher rests, and now and then on a plateau."""

PATIENCE = 200
"""Refusals in a row after which a researcher counts as out of ideas."""


def propose(state: State, house: House) -> list[Event]:
    """Ask for one idea while fewer are being screened than the study allows."""
    # What waits for people holds up nobody, but there is no point in asking them ever more.
    begun = max(state.count(Phase.SCREENING), len(state.desk.waiting))
    if begun >= house.study.screening.waiting or len(state.pending) > len(state.desk.waiting):
        return []
    if state.refused_in_a_row >= PATIENCE or house.governor.refuses(spent(state), Spent(trials=1)):
        return []
    number = state.proposals + 1
    name, researcher = _whose_turn(state, house, number)
    if spent_share(state, house, name):
        return []
    rng = random.Random(f"{house.study.seed}:{name}:{number}")
    said = researcher.propose(view_of(state, house.arena, house.study, number, _spent_members(state, house)), rng)
    if said is None:
        return []
    if isinstance(said, Thought):
        return [*_settled(said.consulted), *_comments(said), *_reserved(state, house, said.ask)]
    return [*_settled(said.consulted), _made(house, said, number, name)]


def spent_share(state: State, house: House, author: str) -> str | None:
    """Why the budget of an author does not reach for a first look at another candidate, or None."""
    if not house.study.budgets.researchers:
        return None
    return refuses_payer(state, house, price(state, first_look(house), house.slots), Payer("", author))


def _whose_turn(state: State, house: House, number: int) -> tuple[str, Researcher]:
    """The study's researcher; the control while that one rests, and for every second idea on a plateau."""
    name = house.study.researcher.name
    if house.control and (state.vigil.rests(name, number) or (number < state.vigil.exploring and number % 2)):
        return CONTROL, house.control
    return name, house.researcher


def _spent_members(state: State, house: House) -> frozenset[str]:
    """Researchers that have used up their budget: a portfolio asks the others."""
    known = {member(name) for name in state.purses.authors} if house.study.budgets.researchers else set()
    return frozenset(name for name in known if spent_share(state, house, name))


def _made(house: House, said: Proposal, number: int, name: str) -> ProposalMade:
    return ProposalMade(
        number=number,
        author=said.author or name,
        candidate=_candidate(house, said.genome),
        parents=said.parents,
        rationale=said.rationale,
        probability=said.probability,
        effect=said.effect,
        request=said.consulted[-1].request if said.consulted else "",
    )


def _settled(consulted: tuple[Consultation, ...]) -> list[Event]:
    """What models answered; the loop puts prompt and reply where artefacts are kept."""
    return [ModelReplied(**{one.name: getattr(each, one.name) for one in fields(each)}) for each in consulted]


def _comments(said: Thought) -> list[Event]:
    """What models remark; it is kept, and nothing follows from it."""
    return [Commented(one.about, one.author, one.text, one.request) for one in said.comments]


def _reserved(state: State, house: House, ask: ModelAsked | None) -> list[Event]:
    """Means set aside for a request to a model, people asked about it, or the reason why it is not sent."""
    if ask is None or ask.request in state.desk.reserved:
        return []
    demand = Spent(tokens=ask.tokens, money=ask.money)
    if reason := house.governor.refuses(spent(state), demand) or _beyond_share(state, house, ask, demand):
        return _unsent(ask, Reply.UNAFFORDABLE, reason)
    policy, approvals, now = house.study.policy, state.desk.approvals, state.wall_seconds
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
    return [ask]


def _said(ask: ModelAsked, policy: Permission) -> Permission:
    """What the policy says of a request. People are not troubled for a comment, and no lab waits for them to answer."""
    open_question = policy in (Permission.NEEDED, Permission.WAITING)
    return Permission.REFUSED if ask.author == COMMENTS and open_question else policy


def _unsent(ask: ModelAsked, outcome: Reply, reason: str) -> list[Event]:
    """The end of a request that is not sent."""
    template = COMMENT if ask.author == COMMENTS else ""
    return _settled((Consultation(ask.request, ask.model, outcome, reason, template),))


def _beyond_share(state: State, house: House, ask: ModelAsked, demand: Spent) -> str | None:
    """Why the budget of the author, or of the hypothesis to come, does not reach for a request."""
    reason = refuses_payer(state, house, demand, Payer("", ask.author))
    if reason or ask.author == COMMENTS:  # of comments no hypothesis comes
        return reason
    own = Share("the budget of a hypothesis", house.study.budgets.hypothesis, state.purses.by_thought(ask.author))
    return house.governor.refuses_share(own, demand)


def _candidate(house: House, genome: Genome) -> Candidate:
    """A candidate in normal form; a genome outside the space is kept as it is and refused at admission."""
    try:
        return Candidate(house.arena.space.validate(genome))
    except StudyError:
        return Candidate(genome)
