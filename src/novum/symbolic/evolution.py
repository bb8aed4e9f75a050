"""Regularised evolution of programs whose evaluation takes longer than a call from Python (a hundred microseconds).

Real et al. 2019 (arXiv 1802.01548): the oldest dies, the parent wins a tournament. Programs that are the same but for
dead code are judged once.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novum.symbolic.language_tables import Tables
from novum.symbolic.machine import Layout
from novum.symbolic.normal_form import normal_form
from novum.symbolic.offspring_kernel import bear
from novum.symbolic.operations import OPERATIONS
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language

JUDGE_APART = 7919
"""Between the seeds of the judges of two populations."""
BEST = 20
"""Programs that are kept beside the population, so that they can be judged again on other data."""


@dataclass(frozen=True, eq=False)
class Offspring:
    """Code of a child. words: (instructions, 4) of operation, out, a, b as numbers of registers; kept: their bits."""

    words: NDArray[np.uint64]
    constants: NDArray[np.float64]
    bounds: NDArray[np.uint64]
    kept: int

    def addressed(self, layout: Layout) -> NDArray[np.uint64]:
        """The words for the interpreter."""
        where = np.array([layout.address(name) for name in layout.language.registers])
        words = self.words.copy()
        words[:, 1:] = where[words[:, 1:]]
        return words

    def state_floats(self, language: Language, size: int) -> int:
        """Numbers that it keeps, with vectors of `size` numbers."""
        lengths = {"s": 1, "v": size, "m": size * size}
        kinds = (language.kinds[name] for name in language.registers)
        return sum(lengths[kind] for at, kind in enumerate(kinds) if self.kept >> at & 1)

    def flop(self, size: int, component: int) -> int:
        """Of one run of a component; see `costs.flop`."""
        lines = slice(int(self.bounds[component]), int(self.bounds[component + 1]))
        return int(_flops(size)[self.words[lines, 0]].sum())


_FLOPS: dict[int, NDArray[np.int64]] = {}


def _flops(size: int) -> NDArray[np.int64]:
    from novum.symbolic.costs import flop
    from novum.symbolic.program import Instruction

    if size not in _FLOPS:
        _FLOPS[size] = np.array([flop((Instruction(one.name, "x"),), size) for one in OPERATIONS])
    return _FLOPS[size]


@dataclass(frozen=True)
class EvolutionSettings:
    """How to search. `random`: without selection.

    restart: begin anew after so many programs that were judged without one that is better.
    """

    population: int = 100
    tournament: int = 5
    restart: int = 3_000
    random: bool = False
    start: Program | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The best program, its fitness on data of its own, programs made and judged, and CPU seconds."""

    program: Program
    fitness: float
    programs: int
    judged: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Leaders:
    """The best programs of one population after another; programs made and judged in all."""

    programs: list[Program]
    made: int
    judged: int


class Evolution:
    """A population of programs of one language; `judge` gives the fitness of a child, higher is better."""

    def __init__(
        self,
        language: Language,
        seed: int,
        judge: Callable[[Offspring], float],
        start: Program | None = None,
        population: int = 200,
        tournament: int = 10,
    ) -> None:
        self._language, self._judge, self._entrants = language, judge, tournament
        self._tables = tables = Tables(language)
        slots = tables.slots
        self._raw, self._constants = np.zeros((population, slots, 4), np.int64), np.zeros((population, slots))
        self._raw[:, :, 0] = -1
        if start is not None:
            self._raw[:], self._constants[:] = tables.encoded(start)
        self._fitness = np.full(population, -np.inf)
        self._population = (
            self._raw, self._constants, self._constants.view(np.uint64), self._fitness, np.zeros(slots, np.bool_),
        )  # fmt: skip
        self._described = (tables.parts, tables.masks, tables.ops, tables.usable, tables.kinds)
        self._numbers = np.arange(len(language.registers), dtype=np.uint64)
        self._code = (np.zeros((slots + 1, 4), np.uint64), np.zeros(slots + 1), np.zeros(len(tables.parts) + 1, "u8"))
        self._state = np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], np.uint64)
        self._known: dict[int, float] = {}
        self._oldest = 0
        self._best: list[tuple[float, int, Program]] = []
        self.made = self.judged = 0
        """Programs made, and those that were judged since none was the same before."""

    def go(self, children: int) -> None:
        """Make so many programs."""
        for _ in range(children):
            place = self._oldest
            found, kept = bear(
                self._state, self._population, self._described, self._numbers, self._code, place, self._entrants
            )
            self._fitness[place] = self._fitness_of(int(found), int(kept), place)
            self._oldest = (place + 1) % len(self._fitness)
            self.made += 1

    @property
    def best(self) -> float:
        """The highest fitness so far."""
        return max((one[0] for one in self._best), default=-np.inf)

    def leaders(self) -> list[Program]:
        """The best programs so far in normal form, best first."""
        return [program for _, _, program in sorted(self._best, key=lambda one: (-one[0], one[1]))]

    def _fitness_of(self, key: int, kept: int, place: int) -> float:
        known = self._known.get(key)
        if known is not None:
            return known
        words, constants, bounds = self._code
        count = max(1, int(bounds[-1]))
        value = self._judge(Offspring(words[:count].copy(), constants[:count].copy(), bounds.copy(), kept))
        self._known[key] = value
        self.judged += 1
        if len(self._best) < BEST or value > self._best[0][0]:
            program = normal_form(self._tables.decoded(self._raw[place], self._constants[place]), self._language)
            entry = (value, self.judged, program)
            (heapq.heappush if len(self._best) < BEST else heapq.heapreplace)(self._best, entry)
        return value


def evolved(
    language: Language,
    judge: Callable[[int], Callable[[Offspring], float]],
    seed: int,
    settings: EvolutionSettings,
    cpu_seconds: float,
    chunk: int,
    tell: Callable[[int, float], None] | None = None,
) -> Leaders:
    """One population after another for a while, each begun anew when the one before stands still.

    judge: makes what judges the children of a population from a seed. chunk: programs between two looks at the clock.
    tell: called as often with the number of programs and the best fitness.
    """
    made, judged, restarts = 0, 0, 0
    leaders: list[Program] = []

    def begun() -> Evolution:
        return Evolution(
            language,
            seed * 1009 + restarts,
            judge(seed + JUDGE_APART * restarts),
            settings.start,
            settings.population,
            0 if settings.random else settings.tournament,
        )

    run = begun()
    run.go(1)  # the first child compiles, which may take longer than a short search has
    began = time.process_time()
    while time.process_time() - began < cpu_seconds:
        run = run if restarts == 0 else begun()
        best, since = -np.inf, 0
        while time.process_time() - began < cpu_seconds and run.judged - since < settings.restart:
            run.go(chunk)
            if run.best > best:
                best, since = run.best, run.judged
            if tell:
                tell(made + run.made, run.best)
        leaders, made, judged, restarts = leaders + run.leaders(), made + run.made, judged + run.judged, restarts + 1
    return Leaders(leaders, made, judged)
