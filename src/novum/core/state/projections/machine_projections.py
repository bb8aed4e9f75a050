"""Projections of machines: who is here, and what each has run."""

from __future__ import annotations

from novum.core.events.machines import GroupRan, GroupRechecked, MachineJoined, MachineLeft
from novum.core.model.trial_plan import together
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import folds
from novum.core.state.machine_log import MachineRecord


@folds(MachineJoined)
def _joined(state: CampaignState, event: MachineJoined) -> None:
    if again := state.machines.known.get(event.machine.id):
        again.left, again.reason = None, ""
    else:
        state.machines.known[event.machine.id] = MachineRecord(event.machine, event.kind, state.session, event.elapsed)
    state.cpu_seconds += event.machine.probe_seconds
    state.elapsed = max(state.elapsed, event.elapsed)


@folds(MachineLeft)
def _left(state: CampaignState, event: MachineLeft) -> None:
    one = state.machines.known[event.machine]
    one.left, one.reason = event.elapsed, event.reason
    state.elapsed = max(state.elapsed, event.elapsed)


@folds(GroupRan)
def _ran(state: CampaignState, event: GroupRan) -> None:
    one = state.machines.known[event.machine]
    one.groups += 1
    state.machines.ran[event.group] = event.machine
    plan = state.plans[event.group]
    if name := together(plan):
        state.machines.kinds.setdefault(name, one.kind)
        one.served |= {*state.arms[plan.arm].members} if plan.arm in state.arms else {plan.subject}
    if one.blamed:
        _doubt(state, one)


@folds(GroupRechecked)
def _rechecked(state: CampaignState, event: GroupRechecked) -> None:
    again = event.recheck
    state.cpu_seconds += again.cpu_seconds
    state.elapsed = max(state.elapsed, event.elapsed)
    one = state.machines.known[again.machine]
    one.rechecked += 1
    one.differing += not again.same
    if at_fault := state.machines.known.get(again.blamed):
        at_fault.blamed = at_fault.blamed or again.group
        _doubt(state, at_fault)


def _doubt(state: CampaignState, one: MachineRecord) -> None:
    """Nothing that a machine has served stands, once its outputs have not come out the same elsewhere."""
    why = f"machine {one.machine.id}, on which it rests, gave other outputs than others"
    for name in one.served:
        state.hypotheses[name].distrusted = why
