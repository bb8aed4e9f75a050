"""Search for regret minimisers outside the record, on Kuhn poker and random games of the search part alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from novum.arenas.regret.games import played
from novum.arenas.regret.language import language
from novum.arenas.regret.options import Options
from novum.arenas.regret.score import geometric, relative
from novum.arenas.regret.solve import Code, Table
from novum.arenas.regret.tree import Game
from novum.core.model.trial import Role
from novum.symbolic.evolution import EvolutionSettings, Found, Offspring, evolved
from novum.symbolic.machine import assembled
from novum.symbolic.program import Program
from novum.symbolic.simplify import simplified

PROBED = 5
"""First iterations, by whose policies and averages rules are compared."""
HALFWAY = 0.25
"""Share of the iterations after which a rule is given up that is far behind."""
BEHIND = 1.0
"""How far, in log exploitability, beyond the best rule so far at that time."""
WORST = -10.0
"""Minus log exploitability of a rule that does not play."""
LOST = 0.02
"""Of log exploitability, for a smaller rule."""
CHUNK = 200
"""Rules between two looks at the clock."""


@dataclass(frozen=True)
class SearchSettings(EvolutionSettings):
    """How to search. extra: random games beside those of a trial."""

    extra: int = 2


def search(
    options: Options,
    seed: int,
    settings: SearchSettings,
    cpu_seconds: float,
    tell: Callable[[int, float], None] | None = None,
) -> Found:
    """Evolve rules for a while; the best few are judged again on other games, and the best of these is simplified."""
    began = time.process_time()
    trials = 1 + settings.extra // max(1, options.games)
    run = evolved(
        language(options),
        lambda at: Judge(options, _games(options, at, trials)),
        seed,
        settings,
        cpu_seconds,
        CHUNK,
        tell,
    )
    games = _games(options, seed + 1, 4)
    program = max(run.programs, key=lambda one: level(one, options, games))
    shorter = shortened(program, options, _games(options, seed + 100, 4))
    fitness = level(shorter, options, _games(options, seed + 200, 8))
    return Found(shorter, fitness, run.made, run.judged, time.process_time() - began)


class Judge:
    """Minus the log of the geometric mean of exploitability on fixed games.

    Rules whose policies and averages are the same after a few iterations of the first game are taken for the same
    (functional equivalence, arXiv 2003.03384, section 3.2); what is far behind after a quarter of all is given up.
    """

    def __init__(self, options: Options, games: Sequence[Game]) -> None:
        self._options = options
        self._tables = [Table.of(game, options) for game in games]
        self._known: dict[bytes, float] = {}
        self._best = np.inf

    def __call__(self, child: Offspring) -> float:
        codes = {
            table.game.width: (child.addressed(table.layout), child.constants, child.bounds) for table in self._tables
        }
        table, turns = self._tables[0], self._options.alternating
        code, probed = codes[table.game.width], min(PROBED, self._options.iterations)
        table.begin()
        table.play(code, 1, probed, turns)
        key = np.concatenate([table.policy, table.average()]).round(9).tobytes()
        if key not in self._known:
            self._known[key] = self._judged(codes)
        return self._known[key]

    def _judged(self, codes: dict[int, Code]) -> float:
        early = max(1, int(HALFWAY * self._options.iterations))
        if (found := self._played(codes, 1, early)) is None:
            return WORST
        if found > self._best * np.exp(BEHIND):
            return max(WORST, -float(np.log(found)))
        self._best = min(self._best, found)
        found = self._played(codes, early + 1, self._options.iterations)
        return WORST if found is None else -float(np.log(found))

    def _played(self, codes: dict[int, Code], first: int, last: int) -> float | None:
        """The geometric mean of exploitability; None where a strategy is none."""
        found = []
        for table in self._tables:
            if first == 1:
                table.begin()
            table.play(codes[table.game.width], first, last, self._options.alternating)
            average = table.average()
            if not np.isfinite(average).all():
                return None
            found.append(relative(table.game, average))
        return geometric(found)


def _games(options: Options, seed: int, trials: int) -> list[Game]:
    """Those of so many search trials, Kuhn poker once."""
    drawn = [game for at in range(trials) for game in played(options, Role.SEARCH, seed + at)]
    return [game for at, game in enumerate(drawn) if at == 0 or game.name != "kuhn"]


def level(program: Program, options: Options, games: Sequence[Game]) -> float:
    """Minus the log of the geometric mean of exploitability."""
    found = []
    for game in games:
        table = Table.of(game, options)
        code = assembled(program, table.layout)
        table.begin()
        table.play((code.words, code.constants, code.bounds), 1, options.iterations, options.alternating)
        average = table.average()
        if not np.isfinite(average).all():
            return WORST
        found.append(relative(game, average))
    return -float(np.log(geometric(found)))


def shortened(program: Program, options: Options, games: Sequence[Game]) -> Program:
    """A smaller rule that loses at most two hundredths of log exploitability on other games of the search part."""
    least = level(program, options, games) - LOST
    return simplified(program, language(options), lambda one: level(one, options, games) >= least)
