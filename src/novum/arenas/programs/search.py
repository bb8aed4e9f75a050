"""Search for programs outside the record: whole populations per second, on examples of the search part alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from novum.arenas.programs.episode_kernel import ABSENT, whole_life
from novum.arenas.programs.language import language
from novum.arenas.programs.options import Options
from novum.arenas.programs.score import fitness
from novum.arenas.programs.search_kernel import evolve
from novum.arenas.programs.tasks import Floats, Task, make
from novum.core.model.trial import Role
from novum.symbolic.language_tables import Tables
from novum.symbolic.machine import LANES, Layout, assembled
from novum.symbolic.normal_form import normal_form
from novum.symbolic.program import Program
from novum.symbolic.simplify import simplified

PROBED = 10
"""First examples, on which programs are compared."""
REMEMBERED = 1 << 20
"""Places for programs that are known; a new one may take the place of another."""
LOST = 1e-3
"""Of fitness, for a smaller program."""
CHUNK = 5_000
"""Programs between two looks at the clock."""


@dataclass(frozen=True)
class SearchSettings:
    """How to search. `random`: programs are drawn without selection.

    enough: stop at this fitness. restart: begin anew after so many programs without one that is better.
    """

    population: int = 300
    tournament: int = 10
    mutated: float = 0.9
    enough: float = 0.9999
    restart: int = 100_000
    random: bool = False
    start: Program | None = None
    """What the first population consists of; the empty program otherwise."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best program, its fitness on the search's own examples, and what it took.

    counts: programs that lived, that were found by fingerprint, by what they say, and those given up early.
    """

    program: Program
    fitness: float
    programs: int
    cpu_seconds: float
    counts: tuple[int, int, int, int]
    restarts: int


def search(
    options: Options,
    seed: int,
    settings: SearchSettings,
    cpu_seconds: float,
    tell: Callable[[int, float], None] | None = None,
) -> Found:
    """Evolve programs for a while, and simplify the best; of equal arguments equal up to where the clock stopped it.

    tell: called now and then with the number of programs and the best fitness.
    """
    counts = np.zeros(4, np.int64)
    best: tuple[float, Program] | None = None
    run = _Run(options, make(options, Role.SEARCH, seed), seed * 1009, settings, counts)
    made, restarts = run.go(1), 0  # the first child compiles, which may take longer than a short search has
    began = time.process_time()
    while True:
        idle = 0
        while idle < settings.restart and time.process_time() - began < cpu_seconds and run.best <= settings.enough:
            before = run.best
            made += (born := run.go(CHUNK))
            idle = 0 if run.best > before else idle + born
            if tell:
                tell(made, run.best)
        if best is None or run.best > best[0]:
            best = (run.best, run.program())
        if best[0] > settings.enough or time.process_time() - began >= cpu_seconds:
            break
        restarts += 1
        run = _Run(options, make(options, Role.SEARCH, seed), seed * 1009 + restarts, settings, counts)
    program = shortened(best[1], options, seed)
    seconds = time.process_time() - began
    return Found(program, best[0], made, seconds, tuple(map(int, counts)), restarts)  # type: ignore[arg-type]


class _Run:
    """A population and everything that it needs, in arrays."""

    def __init__(self, options: Options, task: Task, seed: int, settings: SearchSettings, counts: Any) -> None:
        self._language = language(options)
        self._tables = tables = Tables(self._language)
        layout = Layout(self._language, task.examples.shape[1])
        size, slots = settings.population, tables.slots
        self._raw, self._constants = np.zeros((size + 1, slots, 4), np.int64), np.zeros((size + 1, slots))
        self._raw[:, :, 0] = -1
        if settings.start is not None:
            self._raw[:], self._constants[:] = tables.encoded(settings.start)
        self._fitness = np.zeros(size + 1)
        self._fitness[size] = -1.0
        bits = self._constants.view(np.uint64)
        population = (self._raw, self._constants, bits, self._fitness, np.zeros(slots, np.bool_), np.zeros(1, np.int64))
        words = (np.zeros((slots + 1, 4), np.uint64), np.zeros(slots + 1), np.zeros(len(tables.parts) + 1, np.uint64))
        said = np.zeros(max(PROBED, len(task.truth)) * task.width * LANES)
        machine = (layout.memory(), np.array([layout.address(name) for name in self._language.registers]), said)
        data = tuple(np.ascontiguousarray(x).reshape(-1) for x in (task.examples, task.labels, task.first, task.truth))
        memory = (np.zeros(REMEMBERED, np.uint64), np.zeros(REMEMBERED), counts)
        state = np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], np.uint64)
        described = (tables.parts, tables.masks, tables.ops, tables.usable, tables.kinds)
        chosen = np.array([settings.tournament, settings.mutated, settings.enough, task.kind, settings.random], float)
        self._arguments = (
            state, population, described, words, places(layout, options), machine, data, memory, plans(task), chosen,
        )  # fmt: skip

    def go(self, children: int) -> int:
        """Make so many programs, or fewer where one is good enough; returns how many."""
        return int(evolve(children, *self._arguments))

    @property
    def best(self) -> float:
        """The highest fitness."""
        return float(self._fitness[-1])

    def program(self) -> Program:
        """The best program, in normal form."""
        return normal_form(self._tables.decoded(self._raw[-1], self._constants[-1]), self._language)


def shortened(program: Program, options: Options, seed: int) -> Program:
    """A smaller program that loses at most a thousandth of fitness on other tasks of the search part."""
    tasks = [make(options, Role.SEARCH, seed + 1 + number) for number in range(4)]

    def level(one: Program) -> float:
        return sum(float(fitness(lived(one, options, task), task.truth, task.kind).mean()) for task in tasks) / len(
            tasks
        )

    least = level(program) - LOST
    return simplified(program, language(options), lambda one: level(one) >= least)


def lived(program: Program, options: Options, task: Task, scored_from: int | None = None) -> Floats:
    """What a program says at the steps that are scored, or from another one on: (steps, width, LANES)."""
    layout = Layout(language(options), task.examples.shape[1])
    code, memory = assembled(program, layout), layout.memory()
    first = task.scored_from if scored_from is None else scored_from
    said = np.zeros((len(task.examples) - first, task.width, LANES))
    examples, labels, start = (np.ascontiguousarray(x).reshape(-1) for x in (task.examples, task.labels, task.first))
    plan = np.array([0, len(task.examples), task.trained, first, task.width * LANES], np.uint64)
    where = places(layout, options)
    whole_life(memory, code.words, code.constants, code.bounds, where, examples, labels, start, plan, said.reshape(-1))
    return said


def places(layout: Layout, options: Options) -> Any:
    """Addresses for `episode_kernel`."""
    names = layout.addresses
    scored = "w" if options.task == "component" else "p"
    vector = names["w"] if scored == "w" else ABSENT
    found = [names["x"], names["y"], names[scored], names.get("W", ABSENT), vector, layout.scratch, layout.size]
    return np.array(found, np.uint64)


def plans(task: Task) -> Any:
    """Of the first examples, and of the rest: from, to, learned before, scored from, width times lanes."""
    probed = min(PROBED, task.trained)
    width = task.width * LANES
    return np.array(
        [[0, probed, probed, 0, width], [probed, len(task.examples), task.trained, task.scored_from, width]], np.uint64
    )
