"""What to do next, as a pure function of the state: propose, admit, register, screen, confirm, decide, learn.

`decide(state, house) -> events`. The events are the actions: the loop appends them to the ledger, folds them into the
state, and hands every `GroupDispatched` to the executor. The same ledger, seed and researcher give the same events.
"""

from __future__ import annotations

import random
from dataclasses import fields

from novum.core import confirm, followup, query, screen
from novum.core.approval import Permission, ask_for, closing, name_of, permission
from novum.core.dispatch import committed, price, spent
from novum.core.errors import StudyError
from novum.core.events import (
    Event,
    HypothesisRegistered,
    ModelAsked,
    ModelReplied,
    ProposalMade,
    ProposalRefused,
    Reply,
)
from novum.core.house import House
from novum.core.hypothesis import Phase
from novum.core.judgement import Spent
from novum.core.nouns import Candidate, Genome
from novum.core.past import Past, tried
from novum.core.register import claim
from novum.core.state import State
from novum.core.view import Consultation, Failed, Means, StudyView, Thought

PROPOSE = "propose"
PATIENCE = 200
"""Refusals in a row after which a researcher counts as out of ideas."""

FAILURES = 16
"""How many trials without a score it is shown, the latest ones."""


def decide(state: State, house: House) -> list[Event]:
    """The next events, or none while only time or outcomes can tell.

    The sentence is read from its end, so that finished evidence never waits behind new ideas.
    """
    if state.desk.paused:
        return screen.learn(state, house)
    return (
        screen.learn(state, house)
        or people(state, house)
        or confirm.decide(state, house)
        or followup.decide(state, house)
        or query.ask(state, house)
        or confirm.confirm(state, house)
        or followup.follow_up(state, house)
        or screen.screen(state, house)
        or admit(state, house)
        or propose(state, house)
    )


def measure(state: State, house: House) -> list[Event]:
    """Only what any campaign needs first: the incumbent's sweep, and its noise."""
    return (
        screen.learn(state, house)
        or confirm.calibrate(state, house)
        or screen.sweep(state, house, [state.incumbent.candidate])
    )


def propose(state: State, house: House) -> list[Event]:
    """Ask the researcher for one idea while fewer are being screened than the study allows."""
    # What waits for people holds up nobody, but there is no point in asking them ever more.
    begun = max(state.count(Phase.SCREENING), len(state.desk.waiting))
    if begun >= house.study.screening.waiting or len(state.pending) > len(state.desk.waiting):
        return []
    if state.refused_in_a_row >= PATIENCE or ended(state, house):
        return []
    number = state.proposals + 1
    rng = random.Random(f"{house.study.seed}:{house.study.researcher.name}:{number}")
    said = house.researcher.propose(_view(state, house, number), rng)
    if said is None:
        return []
    if isinstance(said, Thought):
        return [*_settled(said.consulted), *_reserved(state, house, said.ask)]
    return [
        *_settled(said.consulted),
        ProposalMade(
            number=number,
            author=said.author or house.study.researcher.name,
            candidate=_candidate(house, said.genome),
            parents=said.parents,
            rationale=said.rationale,
            probability=said.probability,
            effect=said.effect,
            request=said.consulted[-1].request if said.consulted else "",
        ),
    ]


def _settled(consulted: tuple[Consultation, ...]) -> list[Event]:
    """What models answered; the loop puts prompt and reply where artefacts are kept."""
    return [ModelReplied(**{one.name: getattr(each, one.name) for one in fields(each)}) for each in consulted]


def _reserved(state: State, house: House, ask: ModelAsked | None) -> list[Event]:
    """Means set aside for a request to a model, or the reason why it is not sent."""
    if ask is None or ask.request in state.desk.reserved:
        return []
    if reason := house.governor.refuses(spent(state), Spent(tokens=ask.tokens, money=ask.money)):
        refused = Consultation(ask.request, ask.model, Reply.UNAFFORDABLE, reason)
        return _settled((refused,))
    return [ask]


def admit(state: State, house: House) -> list[Event]:
    """Refuse an idea that is not worth a trial, or register it. One at a time: the next may be the same one again."""
    for proposal in state.pending:
        if reason := _objection(state, house, proposal):
            return [ProposalRefused(proposal.number, reason)]
        match permitted(state, house, proposal):
            case Permission.GRANTED:
                return [register(state, house, proposal)]
            case Permission.REFUSED:
                return [ProposalRefused(proposal.number, _denied(state, proposal))]
            case Permission.NEEDED:
                now, policy = state.wall_seconds, house.study.policy
                words = f"candidate {proposal.candidate.id}: {proposal.rationale or 'no reason given'}"
                return [ask_for(PROPOSE, proposal.author, proposal.candidate.id, words, now, policy)]
    return []


def permitted(state: State, house: House, proposal: ProposalMade) -> Permission:
    """What the policy says of trying a proposal."""
    candidate, approvals = proposal.candidate.id, state.desk.approvals
    return permission(house.study.policy, approvals, PROPOSE, proposal.author, candidate)


def _denied(state: State, proposal: ProposalMade) -> str:
    known = state.desk.approvals.get(name_of(PROPOSE, proposal.author, proposal.candidate.id))
    return known.closed.reason if known and known.closed else f"the policy does not let {proposal.author} propose"


def people(state: State, house: House) -> list[Event]:
    """Approvals that are decided by now."""
    policy, now = house.study.policy, state.wall_seconds
    return [end for one in state.desk.waiting if (end := closing(one, policy, now))]


def register(state: State, house: House, proposal: ProposalMade) -> HypothesisRegistered:
    """The claim that the proposal amounts to, before any trial of it."""
    return claim(state, house, proposal, f"h{len(state.hypotheses) + 1}")


def ended(state: State, house: House) -> str | None:
    """Why nothing more may be started, or None. `state` may still have trials in flight."""
    return house.governor.refuses(spent(state), Spent(trials=1))


def why_nothing_more(state: State, house: House) -> str:
    """The reason why `decide` has nothing more to do, in words."""
    if reason := ended(state, house) or house.governor.refuses(spent(state), price(state, 1, house.slots)):
        return reason
    if house.evidence.open(state.account).amount <= 0:
        return "evidence spent: plain e-LOND allows no more than the planned confirmations"
    if state.refused_in_a_row >= PATIENCE:
        return f"nothing new: the researcher's last {PATIENCE} ideas were all known or inadmissible"
    budget = house.governor.refuses(
        spent(state), price(state, house.arena.card.group_size + committed(state, house), house.slots)
    )
    return budget or "nothing left to try: the researcher has no further idea"


def _objection(state: State, house: House, proposal: ProposalMade) -> str:
    incumbent = state.incumbent.candidate
    if proposal.candidate.id == incumbent.id:
        return "identical to the incumbent after normalisation"
    if proposal.candidate.id in state.known(incumbent.id):
        return "already tried against this incumbent"
    try:
        if twin := _twin(state, house, proposal):
            return f"the same program as candidate {twin} after normalisation, which was tried already"
        house.arena.cost(proposal.candidate.genome)
    except StudyError as error:
        return str(error)
    return ""


def _twin(state: State, house: House, proposal: ProposalMade) -> str:
    """A candidate, tried against this incumbent or the incumbent itself, that cannot behave differently."""
    space, mine = house.arena.space, proposal.candidate
    key = space.key(mine.genome)
    if key == mine.id:
        return ""  # a space without twins: equal candidates have equal ids
    known = state.known(state.incumbent.candidate.id)
    return next((name for name in sorted(known) if space.key(state.candidates[name].genome) == key), "")


def _candidate(house: House, genome: Genome) -> Candidate:
    """A candidate in normal form; a genome outside the space is kept as it is and refused at admission."""
    try:
        return Candidate(house.arena.space.validate(genome))
    except StudyError:
        return Candidate(genome)


def _view(state: State, house: House, number: int) -> StudyView:
    incumbent = state.incumbent.candidate
    return StudyView(
        card=house.arena.card,
        space=house.arena.space,
        number=number,
        incumbent=incumbent.genome,
        tried=tried(state),
        known=state.known(incumbent.id),
        question=house.study.question or house.arena.card.question,
        failed=tuple(Failed(plan.subject, event.kind, event.cause) for event, plan in state.failures[-FAILURES:]),
        means=_means(state),
        past=Past(state),
    )


def _means(state: State) -> Means:
    """What the budget leaves; what is in flight counts as spent."""
    used, budget = spent(state), state.budget
    return Means(
        trials=None if budget.trials is None else max(0, budget.trials - used.trials),
        tokens=None if budget.tokens is None else max(0, budget.tokens - used.tokens),
        money=None if budget.money is None else max(0.0, budget.money - used.money),
        reserved=frozenset(state.desk.reserved),
        failures_in_a_row=state.desk.failures_in_a_row,
    )
