"""Search for update rules outside the record, on quadratics of the search part alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from novum.arenas.optimisers.bulk.descent_kernel import descend
from novum.arenas.optimisers.bulk.update_kernel import ROOM
from novum.arenas.optimisers.data import Floats, quadratic
from novum.arenas.optimisers.language import language
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.rate_schedule import factor
from novum.arenas.optimisers.score import LEAST, MOST
from novum.arenas.optimisers.spec import RATES
from novum.core.model.trial import Role
from novum.population.streams import stream
from novum.symbolic.evolution import EvolutionSettings, Found, Offspring, evolved
from novum.symbolic.language_tables import Tables
from novum.symbolic.program import Program
from novum.symbolic.simplify import simplified

Code = tuple[NDArray[np.int64], Floats, NDArray[np.int64]]
"""Words (operation and registers by number), constants, bounds of the components."""
PROBED, PROBE_RATE = 6, 1e-3
"""First steps, by whose weights rules are compared, and their learning rate."""
BEHIND = 1.0
"""How far, in log loss on the first quadratic, a rule may be behind the best before the others are left out."""
LOST = 0.03
"""Of log loss, for each instruction less."""
CHUNK = 50
"""Rules between two looks at the clock."""


@dataclass(frozen=True)
class SearchSettings(EvolutionSettings):
    """How to search. quadratics: on which a rule is judged."""

    quadratics: int = 6


def search(
    options: Options,
    seed: int,
    settings: SearchSettings,
    cpu_seconds: float,
    tell: Callable[[int, float], None] | None = None,
) -> Found:
    """Evolve rules for a while; the best few are judged again on other quadratics, the best of these is simplified."""
    began = time.process_time()
    run = evolved(
        language(options), lambda at: Judge(options, at, settings.quadratics), seed, settings, cpu_seconds, CHUNK, tell
    )
    again = Judge(options, seed + 1_000_003, 16)
    program = max(run.programs, key=again.level)
    shorter = shortened(program, options, Judge(options, seed + 2_000_003, 16))
    fitness = Judge(options, seed + 3_000_017, 16).level(shorter)
    return Found(shorter, fitness, run.made, run.judged, time.process_time() - began)


@dataclass(frozen=True, eq=False)
class Slope:
    """A quadratic in arrays, and the gradients of all its steps; see `descent_kernel`."""

    options: Options
    seed: int

    @cached_property
    def arrays(self) -> tuple[Floats, ...]:
        """Inputs, truth, curvature of the outputs, rows and shifts, as a search trial of this seed has them."""
        options, task = self.options, quadratic(self.options, Role.SEARCH, self.seed)
        shape = (options.steps, 2, options.batch, options.units(Role.SEARCH))
        drawn = stream(self.seed, f"optimisers/rows/{Role.SEARCH}").standard_normal(shape)
        flat = (task.inputs, task.truth, task.outputs @ task.outputs.T)
        rows, shifts = drawn[:, 0] @ task.inputs, options.noise * drawn[:, 1] @ task.outputs.T
        return (*(np.ascontiguousarray(one).reshape(-1) for one in flat), rows, shifts)


class Judge:
    """Minus the log of the geometric mean of losses at the rate that is best for all quadratics.

    Rules whose first steps are the same are taken for the same (functional equivalence, arXiv 2003.03384, section 3.2).
    """

    def __init__(self, options: Options, seed: int, quadratics: int) -> None:
        spoken = language(options)
        self._size = options.units(Role.SEARCH)
        self._slopes = [Slope(options, seed + at).arrays for at in range(quadratics)]
        self._schedule = np.array([factor(options, step, options.steps) for step in range(options.steps)])
        self._cells = np.zeros((len(spoken.registers) + ROOM, self._size**2))
        self._room = np.zeros((2, max(2 * self._size, self._size**2)))
        places = [spoken.registers.index(one) if one in spoken.kinds else -1 for one in "gwut"]
        self._given, self._tables = np.array(places), Tables(spoken)
        self._known: dict[bytes, float] = {}
        self._best = -np.inf

    def __call__(self, child: Offspring) -> float:
        code = (child.words.astype(np.int64), child.constants, child.bounds.astype(np.int64))
        probe = self._descended(code, 0, np.full(PROBED, PROBE_RATE))
        away = self._room[0, : self._size**2]
        key = away.round(9).tobytes() if np.isfinite(probe) else b""
        if key not in self._known:
            self._known[key] = self._judged(code, BEHIND)
        return self._known[key]

    def level(self, program: Program) -> float:
        """The same of a program, on all quadratics however far behind."""
        return self._judged(self._code(program), np.inf)

    def loss(self, program: Program, quadratic: int, rate: float) -> float:
        """The log of what is left of the loss of one of the quadratics, held between the bounds of a score."""
        return self._loss(self._code(program), quadratic, rate)

    def _code(self, program: Program) -> Code:
        raw, constants = self._tables.encoded(program)
        used = raw[:, 0] >= 0
        lengths = [int(used[start:stop].sum()) for start, stop, _ in self._tables.parts]
        words = np.concatenate([raw[used], np.zeros((1, 4), np.int64)])
        return words, np.append(constants[used], 0.0), np.cumsum([0, *lengths])

    def _judged(self, code: Code, behind: float) -> float:
        first = np.array([self._loss(code, 0, rate) for rate in RATES])
        best = int(first.argmin())
        if -first[best] < self._best - behind:
            return -float(first[best])
        self._best = max(self._best, -float(first[best]))
        near = range(max(0, best - 1), min(len(RATES), best + 2))
        means = [
            np.mean([first[at], *(self._loss(code, one, RATES[at]) for one in range(1, len(self._slopes)))])
            for at in near
        ]
        return -float(min(means))

    def _loss(self, code: Code, slope: int, rate: float) -> float:
        return float(np.log(np.clip(self._descended(code, slope, rate * self._schedule), LEAST, MOST)))

    def _descended(self, code: Code, slope: int, sizes: Floats) -> float:
        found: float = descend(self._cells, code, self._given, self._slopes[slope], sizes, self._room, self._size)
        return found


def shortened(program: Program, options: Options, judge: Judge) -> Program:
    """A smaller rule that loses at most LOST of log loss for each instruction less, on the judge's quadratics."""
    whole = judge.level(program)
    return simplified(
        program, language(options), lambda one: judge.level(one) >= whole - LOST * max(1, len(program) - len(one))
    )
