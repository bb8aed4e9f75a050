"""Projections of machines: who is here, and what each has run."""

from __future__ import annotations

from novum.core.events.machines import GroupRan, MachineJoined, MachineLeft
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
    if name := together(state.plans[event.group]):
        state.machines.kinds.setdefault(name, one.kind)
