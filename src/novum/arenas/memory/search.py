"""Search for memory rules outside the record, on streams of the search part alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from novum.arenas.memory.cost import most_state
from novum.arenas.memory.language import language
from novum.arenas.memory.options import Options
from novum.arenas.memory.recall import Code, Flat, Machine, guesses
from novum.arenas.memory.score import areas, total
from novum.arenas.memory.streams import Cell, make
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role
from novum.symbolic.evolution import EvolutionSettings, Found, Offspring, evolved
from novum.symbolic.program import Program
from novum.symbolic.simplify import simplified

BEHIND = 0.25
"""How far the worst regime so far may lie behind the best rule before the others are left out."""
LOST = 5e-3
"""Of the score, for a smaller rule."""
CHUNK = 500
"""Rules between two looks at the clock."""
FIRST = ("rewritten", "overwritten", "correlated", "small", "drifting", "noisy", "plain")
"""Regimes in the order in which rules are most often given up."""


@dataclass(frozen=True)
class SearchSettings(EvolutionSettings):
    """How to search. batches: of LANES streams per regime and load."""

    batches: int = 3
    restart: int = 20_000


def search(
    options: Options,
    seed: int,
    settings: SearchSettings,
    cpu_seconds: float,
    tell: Callable[[int, float], None] | None = None,
) -> Found:
    """Evolve rules for a while; the best few are judged again on other streams, and the best of these is simplified."""
    began = time.process_time()
    run = evolved(
        language(options), lambda at: Judge(options, at, settings.batches), seed, settings, cpu_seconds, CHUNK, tell
    )
    program = best_of(run.programs, options, seed + 1)
    shorter = shortened(program, options, seed + 100)
    fitness = level(shorter, options, [make(options, Role.SEARCH, seed + 200 + at) for at in range(8)])
    return Found(shorter, fitness, run.made, run.judged, time.process_time() - began)


class Judge:
    """The score of a child on fixed streams; 0 beyond the study's bounds.

    Rules that guess the same in the first regime at the highest load are taken for the same (functional equivalence,
    arXiv 2003.03384, section 3.2). Where the worst regime counts, one that is far behind is not looked at any further.
    """

    def __init__(self, options: Options, seed: int, batches: int) -> None:
        cells = [one for at in range(batches) for one in make(options, Role.SEARCH, seed + at)]
        self._options = options
        order = [name for name in FIRST if name in options.regimes]
        self._cells = {name: [(one.size, Flat.of(one)) for one in cells if one.regime == name][::-1] for name in order}
        self._machines = {size: Machine.of(options, size) for size in {one.size for one in cells}}
        self._known: dict[bytes, float] = {}
        self._best = 0.0

    def __call__(self, child: Offspring) -> float:
        options = self._options
        if child.state_floats(language(options), options.size) > most_state(options, options.size):
            return 0.0
        if options.write_flop and child.flop(options.size, 1) > options.write_flop * options.size**2:
            return 0.0
        codes = {
            size: (child.addressed(one.layout), child.constants, child.bounds) for size, one in self._machines.items()
        }
        size, probe = next(iter(self._cells.values()))[0]
        key = self._machines[size].guesses(codes[size], probe).tobytes()
        if key not in self._known:
            self._known[key] = self._judged(codes)
            self._best = max(self._best, self._known[key])
        return self._known[key]

    def _judged(self, codes: dict[int, Code]) -> float:
        found: dict[str, float] = {}
        for regime, cells in self._cells.items():
            shares = [
                float((self._machines[size].guesses(codes[size], one) == one.answers).mean()) for size, one in cells
            ]
            found[regime] = float(np.mean(shares))
            if self._options.score == "worst" and found[regime] < self._best - BEHIND:
                break
        return total(self._options, found)


def level(program: Program, options: Options, batches: list[list[Cell]]) -> float:
    """The mean score over batches of streams."""
    found = [areas(cells, guesses(program, options, cells)) for cells in batches]
    return total(options, {regime: float(np.mean([one[regime] for one in found])) for regime in found[0]})


def best_of(programs: list[Program], options: Options, seed: int, batches: int = 8) -> Program:
    """The one of the highest score on the same streams of the search part."""
    streams = [make(options, Role.SEARCH, seed + at) for at in range(batches)]
    return max(programs, key=lambda one: level(one, options, streams))


def shortened(program: Program, options: Options, seed: int) -> Program:
    """A smaller rule within the study's bounds that loses at most LOST on other streams of the search part."""
    from novum.arenas.memory.cost import hold_bounds

    streams = [make(options, Role.SEARCH, seed + at) for at in range(8)]
    least = level(program, options, streams) - LOST

    def good(one: Program) -> bool:
        try:
            hold_bounds(one, options)
        except StudyError:
            return False
        return level(one, options, streams) >= least

    return simplified(program, language(options), good)
