"""Who runs what, and until when it is believed to: a pure account with the time given to it, without any connection.

A group waits until a machine of the right kind has room. What is given away is a lease with a number, its fence, that
no other lease has, also not one of another session: only who names the fence of the present lease may end it, so that a
machine which was given up and comes back late cannot end what runs elsewhere by now (Kleppmann, "How to do distributed
locking", 2016).
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from novum.core.model.hardware import Machine
from novum.core.model.trial import TrialGroup

SPARE = 1
"""Groups that a machine holds beyond its slots, so that none of these waits for the way to the lab and back."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A group without a machine. since: by the lab's clock. kind: of the machine that it needs; avoid: not this one."""

    group: TrialGroup
    since: float
    kind: str = ""
    avoid: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A group that a machine has. began: seconds by the lab's clock."""

    group: TrialGroup
    fence: int
    machine: str
    began: float


@dataclass(slots=True)
class Member:
    """A machine that is here. heard: when it was heard last, by the lab's clock."""

    machine: Machine
    heard: float
    leases: dict[int, Lease] = field(default_factory=dict)
    draining: bool = False
    kind: str = ""

    def __post_init__(self) -> None:
        self.kind = self.machine.kind

    @property
    def room(self) -> int:
        """Groups that it may be given now."""
        return 0 if self.draining else self.machine.slots + SPARE - len(self.leases)


class Leases:
    """Groups that wait, machines that are here, and leases between them.

    silence: seconds without a word after which a machine counts as gone. absence: seconds that a group waits for a
    machine of the kind it has to run on while there is none.
    """

    def __init__(self, silence: float, absence: float) -> None:
        self._silence, self._absence = silence, absence
        self._waiting: deque[Waiting] = deque()
        self._kinds: dict[str, str] = {}
        self._fences = secrets.randbelow(1 << 48)
        self.members: dict[str, Member] = {}

    @property
    def slots(self) -> int:
        """Groups worth having in flight: one while there is no machine, so that one finds work when it comes."""
        return max(1, sum(one.machine.slots + SPARE for one in self.members.values() if not one.draining))

    def submit(self, group: TrialGroup, now: float, kind: str = "", avoid: str = "") -> None:
        """Have a group wait for a machine: of a kind, or but for one, where that is said."""
        if group.together and group.kind:
            self._kinds.setdefault(group.together, group.kind)
        self._waiting.append(Waiting(group, now, kind, avoid))

    def join(self, machine: Machine, now: float) -> None:
        """A machine may be given groups from now on."""
        self.members[machine.id] = Member(machine, now)

    def leave(self, machine: str) -> list[TrialGroup]:
        """A machine is gone; what it held is lost."""
        gone = self.members.pop(machine, None)
        return [lease.group for lease in gone.leases.values()] if gone else []

    def heard(self, machine: str, now: float) -> None:
        """A machine has said a word."""
        if one := self.members.get(machine):
            one.heard = now

    def grant(self, now: float) -> Iterator[Lease]:
        """Leases for all groups that somebody has room for, in the order in which they came; the idlest first."""
        room = sum(max(0, one.room) for one in self.members.values())
        left: deque[Waiting] = deque()
        while self._waiting and room > 0:
            waiting = self._waiting.popleft()
            if (found := self._for(waiting)) is None:
                left.append(waiting)
                continue
            room -= 1
            yield self._lease(waiting.group, found, now)
        self._waiting.extendleft(reversed(left))

    def _kind(self, waiting: Waiting) -> str:
        """The kind of machine that a group has to run on; empty for any."""
        return waiting.kind or (self._kinds.get(waiting.group.together, "") if waiting.group.together else "")

    def _for(self, waiting: Waiting) -> Member | None:
        kind = self._kind(waiting)
        fit = [
            one
            for one in self.members.values()
            if one.room > 0 and (not kind or kind == one.kind) and one.machine.id != waiting.avoid
        ]
        return min(fit, key=lambda one: len(one.leases) / one.machine.slots, default=None)

    def _lease(self, group: TrialGroup, one: Member, now: float) -> Lease:
        if group.together:
            self._kinds.setdefault(group.together, one.kind)
        self._fences += 1
        lease = Lease(group, self._fences, one.machine.id, now)
        one.leases[lease.fence] = lease
        return lease

    def end(self, machine: str, fence: int) -> Lease | None:
        """The lease that a machine has run to its end; None where it does not hold it, or not any more."""
        one = self.members.get(machine)
        return one.leases.pop(fence, None) if one else None

    def silent(self, now: float) -> list[str]:
        """Machines that have not been heard for too long."""
        return [name for name, one in self.members.items() if now - one.heard > self._silence]

    def overdue(self, now: float, grace: float) -> list[str]:
        """Machines that hold a group far beyond its limit of wall seconds, which they enforce themselves."""
        return [
            name
            for name, one in self.members.items()
            if any(
                now - lease.began > (SPARE + 1) * (lease.group.limits.seconds + grace) for lease in one.leases.values()
            )
        ]

    def stranded(self, now: float) -> list[TrialGroup]:
        """Groups, taken out of the queue, that have waited too long for a machine which nobody here is."""
        found, kept = [], deque[Waiting]()
        for waiting in self._waiting:
            kind = self._kind(waiting)
            fit = any(
                (not kind or kind == one.kind) and one.machine.id != waiting.avoid for one in self.members.values()
            )
            needs = kind or waiting.avoid
            if needs and not fit and now - waiting.since > self._absence:
                found.append(waiting.group)
            else:
                kept.append(waiting)
        self._waiting = kept
        return found

    def alike(self, machine: Machine) -> int:
        """How many other machines of its kind are here."""
        return sum(one.kind == machine.kind for one in self.members.values() if one.machine.id != machine.id)

    def shift(self, seconds: float) -> None:
        """The lab itself was away for so long: nobody is silent or late on account of that."""
        self._waiting = deque(replace(one, since=one.since + seconds) for one in self._waiting)
        for one in self.members.values():
            one.heard += seconds
            one.leases = {fence: replace(lease, began=lease.began + seconds) for fence, lease in one.leases.items()}
