"""Machines in a record: what ran where was in flight, and both sides of a pair ran on machines of one kind."""

from __future__ import annotations

from novum.core.events.machines import GroupRan, GroupRechecked, MachineJoined, MachineLeft
from novum.core.model.errors import IntegrityError
from novum.core.model.hardware import Recheck
from novum.core.model.trial_plan import together
from novum.core.state.campaign_state import CampaignState

MachineEvent = MachineJoined | MachineLeft | GroupRan | GroupRechecked


def check_machines(event: MachineEvent, state: CampaignState) -> None:
    """Hold what a record says of machines to what it said before. Raises IntegrityError."""
    here = state.machines.here
    if isinstance(event, MachineJoined):
        if event.kind != event.machine.kind:
            raise IntegrityError(
                f"machine {event.machine.id} is said to be of kind {event.kind}, and describes another"
            )
        if event.machine.probe_seconds < 0.0:
            raise IntegrityError(f"machine {event.machine.id} took {event.machine.probe_seconds:g} s for the probe")
        if event.machine.id in here:
            raise IntegrityError(f"machine {event.machine.id} joins a second time")
        known = state.machines.known.get(event.machine.id)
        if known and known.kind != event.kind:
            raise IntegrityError(f"machine {event.machine.id} comes back as another one")
    elif isinstance(event, MachineLeft):
        if event.machine not in here:
            raise IntegrityError(f"machine {event.machine} leaves, and is not here")
    elif isinstance(event, GroupRechecked):
        _rechecked(event.recheck, state)
    else:
        _ran(event, state)


def _ran(event: GroupRan, state: CampaignState) -> None:
    if event.group not in state.in_flight or event.group in state.machines.ran:
        raise IntegrityError(f"{event.group} is said to have run on a machine when it was not in flight")
    one = state.machines.known.get(event.machine)
    if one is None:
        raise IntegrityError(f"{event.group} is said to have run on machine {event.machine}, which never joined")
    kind = state.machines.kinds.get(together(state.plan(event.group)), one.kind)
    if kind != one.kind:
        raise IntegrityError(
            f"{event.group} ran on machine {event.machine} of kind {one.kind}, its counterpart on one of kind {kind}"
        )


def _rechecked(again: Recheck, state: CampaignState) -> None:
    known = state.machines.known
    if again.machine not in known or again.by not in known or again.machine == again.by:
        raise IntegrityError(f"{again.group} is said to have been run again by machine {again.by}: that cannot be")
    if again.blamed and (again.same or again.blamed not in known):
        raise IntegrityError(f"machine {again.blamed} is blamed for {again.group}, of which nothing differs")
    if again.cpu_seconds < 0.0:
        raise IntegrityError(f"{again.group} was run again in {again.cpu_seconds:g} CPU seconds")
