"""Sending trial groups: as many as there are slots, as much as the governor allows."""

from __future__ import annotations

from collections.abc import Sequence

from novum.core.events import Event, GroupDispatched
from novum.core.house import House
from novum.core.hypothesis import Phase
from novum.core.judgement import Spent
from novum.core.plans import Plan
from novum.core.state import State


def dispatch(state: State, house: House, plans: Sequence[Plan], reserve: int = 0) -> list[Event]:
    """Events that send `plans` to workers, as many as there are free slots and as the governor allows.

    reserve: trials beyond the plans that must still be affordable afterwards (the rest of what was begun).
    """
    free = house.slots - len(state.in_flight)
    events: list[Event] = []
    used = spent(state)
    for plan in plans[: max(0, free)]:
        if house.governor.refuses(used, price(state, len(plan.members) + reserve, house.slots)):
            break
        events.append(GroupDispatched(plan, state.session, state.elapsed))
        used = add(used, price(state, len(plan.members), house.slots))
    return events


BLOCK = 4
"""Pairs sent at once: a confirmation is judged pair by pair, but trained in groups."""


def committed(state: State, house: House) -> int:
    """Trials that what has been begun may still need: the next block and the estimate of each open confirmation."""
    estimate = 2 * house.study.gate.estimate_pairs
    return state.count(Phase.CONFIRMING) * (2 * BLOCK + estimate) + state.count(Phase.ESTIMATING) * estimate


def spent(state: State) -> Spent:
    """What has been used, preflights included, with the trials in flight at their predicted price."""
    flying = sum(len(plan.members) for plan in state.in_flight.values())
    cpu, _ = state.prices.dearest
    aside = state.set_aside
    done = Spent(
        state.trials + aside.trials,
        state.cpu_seconds + aside.cpu_seconds,
        state.wall_seconds,
        state.desk.all_tokens,
        state.desk.all_money,
    )
    return add(done, Spent(flying, flying * cpu, 0.0))


def price(state: State, trials: int, slots: int) -> Spent:
    """What `trials` more trials cost at worst, judged by the dearest of late; wall time is shared by the slots."""
    cpu, wall = state.prices.dearest
    return Spent(trials, trials * cpu, trials * wall / min(slots, max(1, trials)))


def add(one: Spent, other: Spent) -> Spent:
    """The sum of two expenses."""
    return Spent(
        one.trials + other.trials,
        one.cpu_seconds + other.cpu_seconds,
        one.wall_seconds + other.wall_seconds,
        one.tokens + other.tokens,
        one.money + other.money,
    )
