"""What to do next, as a pure function of the state: propose, admit, register, screen, confirm, decide, learn.

`decide(state, house) -> events`. The events are the actions: the loop appends them to the ledger, folds them into the
state, and hands every `GroupDispatched` to the executor. The same ledger, seed and researcher give the same events.
"""

from __future__ import annotations

from novum.core import confirm, followup, promotion, quarantine, query, screen
from novum.core.admit import PROPOSE, admit, first_look
from novum.core.approval import SPEND, closing
from novum.core.dealings import ApprovalAsked
from novum.core.dispatch import committed, price, spent
from novum.core.events import Event
from novum.core.house import House
from novum.core.hypothesis import Phase
from novum.core.judgement import Spent
from novum.core.propose import PATIENCE, propose, spent_share
from novum.core.state import State


def decide(state: State, house: House) -> list[Event]:
    """The next events, or none while only time or outcomes can tell.

    The sentence is read from its end, so that finished evidence never waits behind new ideas.
    """
    if state.desk.paused or state.vigil.holds:
        return screen.learn(state, house)
    return (
        screen.learn(state, house)
        or people(state, house)
        or confirm.decide(state, house)
        or followup.decide(state, house)
        or query.ask(state, house)
        or quarantine.settle(state, house)
        or promotion.promote(state, house)
        or confirm.confirm(state, house)
        or followup.follow_up(state, house)
        or screen.screen(state, house)
        or admit(state, house)
        or propose(state, house)
    )


def measure(state: State, house: House) -> list[Event]:
    """Only what any campaign needs first: the incumbent's sweep, and its noise."""
    if state.vigil.holds:
        return screen.learn(state, house)
    return (
        screen.learn(state, house)
        or confirm.calibrate(state, house)
        or screen.sweep(state, house, [state.incumbent.candidate])
    )


def people(state: State, house: House) -> list[Event]:
    """Approvals that are decided by now."""
    policy, now = house.study.policy, state.wall_seconds
    return [end for one in state.desk.waiting if (end := closing(one, policy, now))]


def awaited(state: State, house: House) -> bool:
    """Whether people are asked for anything that could still be paid if they agreed."""
    for one in state.desk.waiting:
        least = Spent(trials=_least(state, house, one.asked))
        if not least.trials or not house.governor.refuses(spent(state), least):
            return True
    return False


def _least(state: State, house: House, asked: ApprovalAsked) -> int:
    """Trials that it takes at least to do what is asked for."""
    if asked.act == PROPOSE:
        return first_look(house)
    waits = any(one.candidate.digest == asked.content for one in state.open_hypotheses(Phase.WAITING))
    return 2 * (1 + house.study.gate.estimate_pairs) if asked.act == SPEND and waits else 0


def ended(state: State, house: House) -> str | None:
    """Why nothing more may be started, or None. `state` may still have trials in flight."""
    return state.vigil.stopped or house.governor.refuses(spent(state), Spent(trials=1))


def why_nothing_more(state: State, house: House) -> str:
    """The reason why `decide` has nothing more to do, in words."""
    if reason := ended(state, house) or house.governor.refuses(spent(state), price(state, 1, house.slots)):
        return reason
    if house.evidence.open(state.account).amount <= 0:
        return "evidence spent: plain e-LOND allows no more than the planned confirmations"
    if state.refused_in_a_row >= PATIENCE:
        return f"nothing new: the researcher's last {PATIENCE} ideas were all known, inadmissible or not affordable"
    if reason := spent_share(state, house, house.study.researcher.name):
        return reason
    budget = house.governor.refuses(
        spent(state), price(state, house.arena.card.group_size + committed(state, house), house.slots)
    )
    return budget or "nothing left to try: the researcher has no further idea"
