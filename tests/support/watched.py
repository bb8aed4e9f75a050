"""Labs with a watchdog, in worlds made for it: a clock and a machine that do what they are told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labs import Flaky, ScriptedArena, coin_study, events, in_memory, scored

from novum.core.engine.context import Campaign
from novum.core.events.oversight import Intervened
from novum.core.model.budget import Budget
from novum.core.model.proposal import Proposal
from novum.core.model.study import Study, WatchdogSettings
from novum.core.model.trial import GroupResult, Usage
from novum.governance.alarms.alarm_inputs import alarm_inputs
from novum.governance.machine_resources import Reading
from novum.governance.watchdog import RuleWatchdog

PLENTY = Reading(1 << 40, 1 << 40)


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Machine:
    """A gauge that reads what it is set to, and counts how often it is read."""

    reading: Reading = PLENTY
    reads: int = 0

    def __call__(self) -> Reading:
        self.reads += 1
        return self.reading


@dataclass(frozen=True)
class Proposer:
    """The Researcher port: genome number `number` by a function, None when there is none."""

    genome: object

    def propose(self, view, rng):
        genome = self.genome(view.number)
        return None if genome is None else Proposal(genome, "as told")


class Silent:
    """The Critic port: says nothing, where candidates are to fail over and over."""

    def review(self, state, proposal, cost):
        return ()


class Place(Flaky):
    """An executor double whose groups take the CPU and wall seconds that `cost(group)` says; `hangs(group)`: for ever.

    Waiting lets the clock run on.
    """

    def __init__(self, plan=scored, cost=lambda group: 0.01, hangs=lambda group: False, clock=None, peak=1000) -> None:
        super().__init__(plan)
        self.cost, self.hangs, self.clock, self.peak = cost, hangs, clock, peak
        self.hung = []

    def collect(self, timeout):
        if self.clock:
            self.clock.now += max(timeout, 0.001)
        self.hung += [group for group in self._queue if self.hangs(group)]
        self._queue = [group for group in self._queue if not self.hangs(group)]
        return [
            GroupResult(r.group, r.outputs, Usage(self.cost(r.group) * len(r.outputs), 0.01, self.peak))
            for r in super().collect(timeout)
        ]


def scripted(**changes) -> Study:
    """A study of the scripted arena."""
    return coin_study(arena="scripted", **changes)


def watched(study: Study, trials: int = 400, *, place=None, arena=None, machine=None, clock=None, **more):
    """A lab in memory with a watchdog; its clock stands still unless one is given."""
    arena = arena or (ScriptedArena() if study.arena == "scripted" else None)
    budget = more.pop("budget", Budget(trials=trials))
    executor = place or (Place() if study.arena == "scripted" else None)
    lab = in_memory(study, budget, arena=arena, executor=executor, **more)
    lab.campaign = Campaign(lab.state, replace(lab.context, critic=Silent()))
    lab.watchdog = RuleWatchdog(alarm_inputs(study, lab.context.arena), machine or Machine())
    lab.clock = clock or Clock()
    lab._started = lab.clock()
    return lab


def interventions(lab) -> list[Intervened]:
    return [event for event in events(lab) if isinstance(event, Intervened)]


def acts(lab) -> list[tuple[str, str, str]]:
    """Alarm, step and subject of what the watchdog did."""
    return [(str(one.alarm), str(one.step), one.subject) for one in interventions(lab)]


def settings(**changes) -> WatchdogSettings:
    return replace(WatchdogSettings(), **changes)
