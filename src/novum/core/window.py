"""A study as those see it who propose: no seeds, no keys, no confirmation scores, no word on the gate's data."""

from __future__ import annotations

from novum.core.approval import SPEND
from novum.core.claims import Claims, judged, registered
from novum.core.dispatch import spent
from novum.core.events import TrialFinished
from novum.core.past import Past, tried
from novum.core.plans import Plan, Purpose
from novum.core.ports import Arena
from novum.core.state import State
from novum.core.study import Study
from novum.core.view import Failed, Means, StudyView
from novum.core.vigil import member

NETWORK = "network"

FAILURES = 16
"""How many trials without a score are shown, the latest ones."""

NOTES = 4
"""How many of the watchdog's interventions."""

WITHHELD = "withheld, as it ran on the gate's data"


def view_of(state: State, arena: Arena, study: Study, number: int, idle: frozenset[str] = frozenset()) -> StudyView:
    """What may be known when proposal `number` is asked for. idle: researchers that are not to propose any more."""
    incumbent = state.incumbent.candidate
    return StudyView(
        card=arena.card,
        space=arena.space,
        number=number,
        incumbent=incumbent.genome,
        tried=tried(state),
        known=state.known(incumbent.id),
        question=study.question or arena.card.question,
        failed=tuple(_failed(event, plan) for event, plan in state.failures[-FAILURES:]),
        means=_means(state),
        past=Past(state),
        resting=idle | {member(name) for name, until in state.vigil.resting.items() if until > number},
        notes=tuple(one.words for one in state.vigil.latest[-NOTES:]),
        judged=Claims(lambda: judged(state)),
        registered=Claims(lambda: registered(state)),
    )


def _failed(event: TrialFinished, plan: Plan) -> Failed:
    """A failure; what a program said of data that decide about it must not reach the next program."""
    return Failed(plan.subject, event.kind, event.cause if plan.purpose is Purpose.SCREEN else WITHHELD)


def _means(state: State) -> Means:
    """What the budget leaves; what is in flight counts as spent."""
    used, budget = spent(state), state.budget
    asks = (one.asked for one in state.desk.waiting)
    return Means(
        trials=None if budget.trials is None else max(0, budget.trials - used.trials),
        tokens=None if budget.tokens is None else max(0, budget.tokens - used.tokens),
        money=None if budget.money is None else max(0.0, budget.money - used.money),
        reserved=frozenset(state.desk.reserved),
        failures_in_a_row=state.desk.failures_in_a_row,
        awaiting=frozenset(one.content for one in asks if one.act in (NETWORK, SPEND)),
        denied=frozenset(state.desk.denied),
    )
