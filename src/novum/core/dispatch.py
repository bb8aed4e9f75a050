"""Sending trial groups: as many as there are slots, as much as every budget allows.

The worst case is set aside before a group leaves, and what it really used is settled when it lands. Where CPU time is
bounded, the worst case is what workers are held to: a group that meets a bound below the study's own limits is lost,
not failed, and is run again with the whole of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novum.core.events import Event, GroupDispatched
from novum.core.house import LOOK_SECONDS, House
from novum.core.hypothesis import Phase
from novum.core.judgement import Share, Spent
from novum.core.plans import Plan
from novum.core.purse import Payer
from novum.core.state import State

HEADROOM = 3.0
"""How many times the dearest trial of late a group may use before it is ended and run again."""

LEAST_SECONDS = 1.0
"""CPU seconds that are set aside for a group at least."""

BLOCK = 4
"""Pairs sent at once: a confirmation is judged pair by pair, but trained in groups."""


def dispatch(state: State, house: House, plans: Sequence[Plan], reserve: int = 0) -> list[Event]:
    """Events that send `plans` to workers, as many as there are free slots and as every budget allows.

    reserve: trials beyond the plans that must still be affordable afterwards (the rest of what was begun).
    """
    free = house.slots - len(state.in_flight)
    events: list[Event] = []
    sent = Spent()
    for plan in plans[: max(0, free)]:
        payer = state.purses.payer(plan)
        demand = price(state, len(plan.members) + reserve, house.slots)
        demand = demand + sent + _held(house) if events or house.arena.card.gpus else demand
        if refuses(state, house, demand, payer):
            break
        aside, capped = set_aside(state, house, plan, sent, payer)
        event = GroupDispatched(plan, state.session, state.elapsed, aside.cpu_seconds, aside.gpu_seconds, capped)
        events.append(event)
        sent += replace(aside, wall_seconds=price(state, len(plan.members), house.slots).wall_seconds)
    return events


def set_aside(state: State, house: House, plan: Plan, sent: Spent, payer: Payer | None) -> tuple[Spent, bool]:
    """What a group may use at most, and whether that is less than the study's limits let it.

    sent: what the groups before it in the same decision may use.
    """
    cpu, _ = state.prices.dearest
    count = len(plan.members)
    gpu = _held(house).gpu_seconds
    left = _cpu_left(state, house, sent, payer)
    if left is None:
        return Spent(count, count * cpu, gpu_seconds=gpu), False
    whole = house.study.limits.cpu_seconds or house.study.limits.seconds + 1.0
    known = cpu > 0.0 and not state.losses.of(plan)
    wanted = min(whole, max(LEAST_SECONDS, HEADROOM * count * cpu)) if known else whole
    allowed = min(wanted, left)
    return Spent(count, allowed, gpu_seconds=gpu), allowed < whole


def _held(house: House) -> Spent:
    """GPU time that a group may hold at most."""
    return Spent(gpu_seconds=house.study.limits.seconds * house.arena.card.gpus)


def _cpu_left(state: State, house: House, sent: Spent, payer: Payer | None) -> float | None:
    """CPU seconds that the tightest budget leaves, or None without one."""
    found = []
    if state.budget.cpu_seconds is not None:
        found.append(state.budget.cpu_seconds - spent(state).cpu_seconds - sent.cpu_seconds)
    for share in shares(state, house, payer):
        if share.budget.cpu_seconds is not None:
            found.append(share.budget.cpu_seconds - share.spent.cpu_seconds - sent.cpu_seconds)
    return min(found) if found else None


def refuses(state: State, house: House, demand: Spent, payer: Payer | None = None) -> str | None:
    """Why `demand` may not be added to what is used, at any level, or None when it may."""
    if reason := house.governor.refuses(spent(state), demand):
        return reason
    return refuses_payer(state, house, demand, payer)


def exceeded(state: State, house: House, demand: Spent, payer: Payer | None) -> str | None:
    """Why what a finished trial still needs, such as room for its artefact, cannot be had at some level."""
    used = Spent(disk_bytes=state.purses.lab.disk_bytes)
    return house.governor.refuses(used, demand) or refuses_payer(state, house, demand, payer)


def refuses_payer(state: State, house: House, demand: Spent, payer: Payer | None) -> str | None:
    """The same for the budgets of an author and a hypothesis alone."""
    reasons = (house.governor.refuses_share(share, demand) for share in shares(state, house, payer))
    return next((reason for reason in reasons if reason), None)


def shares(state: State, house: House, payer: Payer | None) -> list[Share]:
    """The budgets that a payer is held to beside the lab's, each with what is used of it."""
    if payer is None:
        return []
    levels = house.study.budgets
    found = [
        Share(f"the budget of {one.author}", one.budget, state.purses.by_authors(one.author))
        for one in levels.authors_of(payer.author)
    ]
    if payer.hypothesis and levels.hypothesis.any:
        used = state.purses.by_hypothesis(payer.hypothesis)
        found.append(Share(f"the budget of {payer.hypothesis}", levels.hypothesis, used))
    return found


def committed(state: State, house: House) -> int:
    """Trials that what has been begun may still need: the next block and the estimate of each open confirmation."""
    estimate = 2 * house.study.gate.estimate_pairs
    return state.count(Phase.CONFIRMING) * (2 * BLOCK + estimate) + state.count(Phase.ESTIMATING) * estimate


def spent(state: State) -> Spent:
    """What has been used, preflights included, with what is set aside for work in flight."""
    aside, extra = state.set_aside, state.purses.lab
    done = Spent(
        state.trials + aside.trials,
        state.cpu_seconds + aside.cpu_seconds,
        state.wall_seconds,
        state.desk.all_tokens,
        state.desk.all_money,
        extra.gpu_seconds,
        extra.disk_bytes,
        extra.holdout_queries,
    )
    return done + state.purses.in_flight if state.in_flight else done


def price(state: State, trials: int, slots: int) -> Spent:
    """What `trials` more trials cost, judged by the dearest of late; wall time is shared by the slots.

    What a group may use between two looks at its clock comes on top: no more than that can ever go unseen.
    """
    cpu, wall = state.prices.dearest
    unseen = LOOK_SECONDS if cpu else 0.0
    wall_seconds = trials * wall / min(slots, max(1, trials))
    return Spent(trials, trials * cpu + unseen, wall_seconds, disk_bytes=trials * state.prices.largest)
