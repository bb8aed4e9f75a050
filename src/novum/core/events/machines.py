"""Events of machines that work for the lab beside its own: they join, leave, and say what they ran."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Event, Known, event
from novum.core.model.hardware import Machine, Recheck
from novum.text.format import counted


@event("machine_joined", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class MachineJoined(Event):
    """A machine may run trials from now on. `kind`: the same for machines whose results may be compared."""

    machine: Machine
    kind: str
    elapsed: float

    def subjects(self, known: Known) -> set[str]:
        return {self.machine.id}

    def sentence(self, known: Known) -> str:
        one = self.machine
        return f"machine {one.id} of kind {self.kind} joins with {counted(one.slots, 'slot')}: {one.processor}"


@event("machine_left", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class MachineLeft(Event):
    """A machine runs no more trials; what it had begun is lost, and run again elsewhere."""

    machine: str
    reason: str
    elapsed: float

    def subjects(self, known: Known) -> set[str]:
        return {self.machine}

    def sentence(self, known: Known) -> str:
        return f"machine {self.machine} has left: {self.reason}"


@event("group_ran", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class GroupRan(Event):
    """Where a group ran whose outcomes follow."""

    group: str
    machine: str

    def subjects(self, known: Known) -> set[str]:
        return {self.group, self.machine}

    def sentence(self, known: Known) -> str:
        return f"{self.group} ran on machine {self.machine}"


@event("group_rechecked", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class GroupRechecked(Event):
    """A group was run again on another machine. What rests on a machine that is blamed does not stand any more."""

    recheck: Recheck
    elapsed: float

    def subjects(self, known: Known) -> set[str]:
        return {self.recheck.group, self.recheck.machine, self.recheck.by}

    def sentence(self, known: Known) -> str:
        one = self.recheck
        said = "gives the same" if one.same else "gives something else"
        blamed = f"; machine {one.blamed} is at fault, two runs elsewhere agree against it" if one.blamed else ""
        return f"{one.group}, which ran on machine {one.machine}, {said} on machine {one.by}{blamed}"
