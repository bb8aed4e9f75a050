"""Proposing: one idea asked of the researcher, or a request to a model on its way to one."""

from __future__ import annotations

import random
from dataclasses import fields

from novum.core.approval import Permission, ask_for, permission, spending
from novum.core.dispatch import refuses_payer, spent
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
from novum.core.window import NETWORK, SPEND, view_of

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
    rng = random.Random(f"{house.study.seed}:{name}:{number}")
    said = researcher.propose(view_of(state, house.arena, house.study, number), rng)
    if said is None:
        return []
    if isinstance(said, Thought):
        return [*_settled(said.consulted), *_comments(said), *_reserved(state, house, said.ask)]
    return [*_settled(said.consulted), _made(house, said, number, name)]


def _whose_turn(state: State, house: House, number: int) -> tuple[str, Researcher]:
    """The study's researcher; the control while that one rests, and for every second idea on a plateau."""
    name = house.study.researcher.name
    if house.control and (state.vigil.rests(name, number) or (number < state.vigil.exploring and number % 2)):
        return CONTROL, house.control
    return name, house.researcher


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
        return _settled((Consultation(ask.request, ask.model, Reply.UNAFFORDABLE, reason),))
    policy, approvals, now = house.study.policy, state.desk.approvals, state.wall_seconds
    if ask.model.partition(":")[0] != LOCAL:
        match permission(policy, approvals, NETWORK, ask.author, ask.model):
            case Permission.NEEDED:
                return [ask_for(NETWORK, ask.author, ask.model, f"ask {ask.model} over the network", now, policy)]
            case Permission.REFUSED:
                reason = f"the policy does not let {ask.author} ask {ask.model}"
                return _settled((Consultation(ask.request, ask.model, Reply.FORBIDDEN, reason),))
            case Permission.WAITING:
                return []
    match spending(policy, approvals, ask.author, ask.request, demand):
        case Permission.NEEDED:
            words = f"ask {ask.model}: at most {ask.tokens:,} tokens, {ask.money:.4f} dollars"
            return [ask_for(SPEND, ask.author, ask.request, words, now, policy)]
        case Permission.REFUSED:
            reason = f"nobody allowed {ask.author} to spend {ask.money:.4f} dollars on it"
            return _settled((Consultation(ask.request, ask.model, Reply.FORBIDDEN, reason),))
        case Permission.WAITING:
            return []
    return [ask]


def _beyond_share(state: State, house: House, ask: ModelAsked, demand: Spent) -> str | None:
    """Why the budget of the author, or of the hypothesis to come, does not reach for a request."""
    if reason := refuses_payer(state, house, demand, Payer("", ask.author)):
        return reason
    own = Share("the budget of a hypothesis", house.study.budgets.hypothesis, state.purses.by_thought(ask.author))
    return house.governor.refuses_share(own, demand)


def _candidate(house: House, genome: Genome) -> Candidate:
    """A candidate in normal form; a genome outside the space is kept as it is and refused at admission."""
    try:
        return Candidate(house.arena.space.validate(genome))
    except StudyError:
        return Candidate(genome)
