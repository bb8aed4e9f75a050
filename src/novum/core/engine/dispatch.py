"""Sending trial groups: as many as there are slots, as much as every budget allows.

The worst case is set aside before a group leaves, and what it really used is settled when it lands. Where CPU time is
bounded, the worst case is what workers are held to: a group that meets a bound below the study's own limits is lost,
not failed, and is run again with the whole of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novum.core.engine.context import LOOK_SECONDS, Campaign, LabContext
from novum.core.events.event import Event
from novum.core.events.trials import GroupDispatched
from novum.core.model.budget import Share, Spent
from novum.core.model.hardware import SPINNING
from novum.core.model.trial_plan import Plan
from novum.core.state.arm import BLOCK
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Phase
from novum.core.state.spending import Payer
from novum.core.state.trial_costs import Price

HEADROOM = 3.0
"""How many times the dearest trial of late a group may use before it is ended and run again."""

LEAST_SECONDS = 1.0
"""CPU seconds that are set aside for a group at least."""


def dispatch(campaign: Campaign, plans: Sequence[Plan], reserve: int = 0) -> list[Event]:
    """Events that send `plans` to workers, as many as there are free slots and as every budget allows.

    reserve: trials beyond the plans that must still be affordable afterwards (the rest of what was begun).
    """
    free = campaign.context.slots - len(campaign.state.in_flight)
    events: list[Event] = []
    sent = Spent()
    for plan in plans[: max(0, free)]:
        payer = campaign.state.spending.payer(plan)
        demand = price(campaign.state, len(plan.members) + reserve, campaign.context.slots)
        demand = demand + sent + _held(campaign.context) if events or campaign.spec.gpus else demand
        if refuses(campaign, demand, payer):
            break
        aside, capped = set_aside(campaign, plan, sent, payer)
        event = GroupDispatched(
            plan, campaign.state.session, campaign.state.elapsed, aside.cpu_seconds, aside.gpu_seconds, capped
        )
        events.append(event)
        sent += replace(
            aside, wall_seconds=price(campaign.state, len(plan.members), campaign.context.slots).wall_seconds
        )
    return events


def set_aside(campaign: Campaign, plan: Plan, sent: Spent, payer: Payer | None) -> tuple[Spent, bool]:
    """What a group may use at most, and whether that is less than the study's limits let it.

    sent: what the groups before it in the same decision may use.
    """
    cpu, _ = campaign.state.prices.dearest
    count = len(plan.members)
    gpu = _held(campaign.context).gpu_seconds
    left = _cpu_left(campaign, sent, payer)
    if left is None:
        return Spent(count, count * cpu, gpu_seconds=gpu), False
    limits, spinning = campaign.study.limits, SPINNING if campaign.spec.gpus else 1
    whole = limits.cpu_seconds or limits.seconds * spinning + 1.0
    known = cpu > 0.0 and not campaign.state.lost_trials.of(plan)
    wanted = min(whole, max(LEAST_SECONDS, HEADROOM * count * cpu)) if known else whole
    allowed = min(wanted, left)
    return Spent(count, allowed, gpu_seconds=gpu), allowed < whole


def _held(context: LabContext) -> Spent:
    """GPU time that a group may hold at most."""
    return Spent(gpu_seconds=context.study.limits.seconds * context.arena.spec.gpus)


def _cpu_left(campaign: Campaign, sent: Spent, payer: Payer | None) -> float | None:
    """CPU seconds that the tightest budget leaves, or None without one."""
    found = []
    if campaign.state.budget.cpu_seconds is not None:
        found.append(campaign.state.budget.cpu_seconds - campaign.state.spent.cpu_seconds - sent.cpu_seconds)
    for share in shares(campaign.state, payer):
        if share.budget.cpu_seconds is not None:
            found.append(share.budget.cpu_seconds - share.spent.cpu_seconds - sent.cpu_seconds)
    return min(found) if found else None


def refuses(campaign: Campaign, demand: Spent, payer: Payer | None = None) -> str | None:
    """Why `demand` may not be added to what is used, at any level, or None when it may."""
    if reason := campaign.context.governor.refuses(campaign.state.spent, demand):
        return reason
    return refuses_payer(campaign, demand, payer)


def exceeded(campaign: Campaign, demand: Spent, payer: Payer | None) -> str | None:
    """Why what a finished trial still needs, such as room for its artefact, cannot be had at some level."""
    used = Spent(disk_bytes=campaign.state.spending.lab.disk_bytes)
    return campaign.context.governor.refuses(used, demand) or refuses_payer(campaign, demand, payer)


def refuses_payer(campaign: Campaign, demand: Spent, payer: Payer | None) -> str | None:
    """The same for the budgets of an author and a hypothesis alone."""
    reasons = (campaign.context.governor.refuses_share(share, demand) for share in shares(campaign.state, payer))
    return next((reason for reason in reasons if reason), None)


def shares(state: CampaignState, payer: Payer | None) -> list[Share]:
    """The budgets that a payer is held to beside the lab's, each with what is used of it."""
    if payer is None:
        return []
    levels = state.study.budgets
    found = [
        Share(f"the budget of {one.author}", one.budget, state.spending.by_authors(one.author))
        for one in levels.authors_of(payer.author)
    ]
    if payer.hypothesis and levels.hypothesis.any:
        used = state.spending.by_hypothesis(payer.hypothesis)
        found.append(Share(f"the budget of {payer.hypothesis}", levels.hypothesis, used))
    return found


def committed(campaign: Campaign) -> int:
    """Trials that what has been begun may still need: the next block and the estimate of each open confirmation."""
    estimate = 2 * campaign.study.gate.estimate_pairs
    return (
        campaign.state.count(Phase.CONFIRMING) * (2 * BLOCK + estimate)
        + campaign.state.count(Phase.ESTIMATING) * estimate
    )


def price(state: CampaignState, trials: int, slots: int, each: Price | None = None) -> Spent:
    """What `trials` more trials cost, judged by the dearest of late or by `each`; wall time is shared by the slots.

    What a group may use between two looks at its clock comes on top: no more than that can ever go unseen.
    """
    cpu, wall = each or state.prices.dearest
    unseen = LOOK_SECONDS if cpu else 0.0
    wall_seconds = trials * wall / min(slots, max(1, trials))
    return Spent(trials, trials * cpu + unseen, wall_seconds, disk_bytes=trials * state.prices.largest)
