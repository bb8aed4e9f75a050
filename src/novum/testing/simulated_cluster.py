"""A cluster in virtual time: a test double for executors that runs no trial, and takes no time for it.

Machines join, are preempted and come back; groups last as long as a heavy-tailed law says, and some are lost. Who gets
what is decided by the account of the `remote` executor (`executors/remote/leases.py`), and what follows by the real
engine, whose clock it is.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from novum.core.model.hardware import Machine, Recheck
from novum.core.model.trial import GroupResult, OutcomeKind, TrialGroup, TrialOutput, Usage
from novum.executors.output_checks import failed
from novum.executors.remote.leases import Lease, Leases

Outputs = Callable[[TrialGroup], Sequence[TrialOutput]]


@dataclass(frozen=True)
class ClusterLaw:
    """What happens on a cluster, per trial of 1 s in the mean (virtual seconds).

    tail: the shape of a Pareto law, whose mean is 1; below 2 its variance is infinite. lost: share of groups that end
    without an outcome. preempted: machines that leave, per machine and 1,000 s; away: seconds until they are back.
    """

    machines: int = 500
    slots: int = 20
    tail: float = 1.8
    lost: float = 0.01
    preempted: float = 1.0
    away: float = 20.0


class SimulatedCluster:
    """The Executor port, and `HasMachines`; `clock` is the time that the lab has to go by."""

    def __init__(self, law: ClusterLaw, outputs: Outputs, seed: int = 0) -> None:
        self._law, self._outputs = law, outputs
        self._rng = random.Random(f"cluster:{seed}")
        self._leases = Leases(silence=float("inf"), absence=float("inf"))
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._done: list[GroupResult] = []
        self._gone: dict[str, str] = {}
        self.now = 0.0
        self.busy_seconds = self.wasted_seconds = self.slot_seconds = 0.0
        self._busy = self._slots = 0
        self._queues: dict[str, list[float]] = {}
        self._known: dict[str, Machine] = {}
        for number in range(law.machines):
            self._join(Machine(f"m{number}", law.slots, probe="p"))

    def clock(self) -> float:
        """Virtual seconds since the beginning."""
        return self.now

    @property
    def slots(self) -> int:
        """Groups worth having in flight."""
        return self._leases.slots

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Those that are here."""
        return {name: one.machine for name, one in self._leases.members.items()}

    def why_gone(self, machine: str) -> str:
        """Why one is not here."""
        return self._gone.get(machine, "")

    def rechecks(self) -> Sequence[Recheck]:
        """Nothing is run twice here."""
        return []

    def drain(self, machine: str, reason: str, *, now: bool = False) -> bool:  # noqa: ARG002 nobody drains here
        """Part with a machine."""
        self._leave(machine, reason)
        return True

    def submit(self, group: TrialGroup) -> None:
        self._leases.submit(group, self.now)

    def collect(self, timeout: float) -> Sequence[GroupResult]:
        """Let time pass up to the next outcome, or to the timeout."""
        self._grant()
        end = self.now + timeout
        while not self._done and self._events and self._events[0][0] <= end:
            at, _, happen = heapq.heappop(self._events)
            self._pass(at)
            happen()
            self._grant()
        if not self._done:
            self._pass(end)
        found, self._done = self._done, []
        return found

    @property
    def utilisation(self) -> float:
        """Share of the slots' time up to now in which they ran something that was not lost."""
        return (self.busy_seconds - self.wasted_seconds) / self.slot_seconds if self.slot_seconds else 0.0

    def _pass(self, at: float) -> None:
        self.slot_seconds += (at - self.now) * self._slots
        self.busy_seconds += (at - self.now) * self._busy
        self.now = at

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._count), happen))

    def _grant(self) -> None:
        for lease in self._leases.grant(self.now):
            self._begin(lease)

    def _begin(self, lease: Lease) -> None:
        """A machine has one group more than slots, which waits there for the first that is free."""
        scale = (self._law.tail - 1.0) / self._law.tail
        seconds = sum(scale * self._rng.paretovariate(self._law.tail) for _ in lease.group.trials)
        lost = self._rng.random() < self._law.lost
        share = self._rng.random() if lost else 1.0
        self._busy += len(self._leases.members[lease.machine].leases) <= self._law.slots
        queue = self._queues[lease.machine]
        start = max(self.now, heapq.heappop(queue))
        heapq.heappush(queue, start + seconds * share)
        self._at(start + seconds * share - self.now, lambda: self._end(lease, seconds * share, lost=lost))

    def _end(self, lease: Lease, seconds: float, *, lost: bool) -> None:
        if self._leases.end(lease.machine, lease.fence) is None:
            return  # the machine was preempted meanwhile
        machine = self._known[lease.machine]
        self._busy -= len(self._leases.members[lease.machine].leases) < self._law.slots
        if lost:
            self.wasted_seconds += seconds
            outputs = failed(lease.group, OutcomeKind.LOST, "the simulated cluster lost it")
        else:
            outputs = tuple(self._outputs(lease.group))
        self._done.append(GroupResult(lease.group, outputs, Usage(seconds, seconds, 1), machine))

    def _join(self, machine: Machine) -> None:
        self._leases.join(machine, self.now)
        self._slots += machine.slots
        self._queues[machine.id] = [self.now] * machine.slots
        self._known[machine.id] = machine
        if self._law.preempted > 0:
            self._at(self._rng.expovariate(self._law.preempted / 1000.0), lambda: self._leave(machine.id, "preempted"))

    def _leave(self, name: str, reason: str) -> None:
        machine, self._gone[name] = self._known[name], reason
        self._slots -= machine.slots
        held = self._leases.members[name].leases.values()
        self._busy -= min(len(held), machine.slots)
        self.wasted_seconds += sum(sorted(self.now - lease.began for lease in held)[-machine.slots :])
        for group in self._leases.leave(name):
            outputs = failed(group, OutcomeKind.LOST, f"machine {name} was {reason}")
            self._done.append(GroupResult(group, outputs, Usage(), machine))
        self._at(self._law.away, lambda: self._join(machine))
