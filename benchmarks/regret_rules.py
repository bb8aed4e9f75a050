"""Regret minimisers: how exploitable known rules are, what a run costs, and what a search finds.

python benchmarks/regret_rules.py --json
python benchmarks/regret_rules.py --part search --cpu 120 --seeds 3 --json
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace

import numpy as np

from novum.arenas.regret.arena import RegretArena
from novum.arenas.regret.exploitability import exploitability
from novum.arenas.regret.games import goofspiel, kuhn, leduc, played, random_game
from novum.arenas.regret.named import RULES
from novum.arenas.regret.options import Options
from novum.arenas.regret.recognise import recognise
from novum.arenas.regret.score import LEAST, geometric, relative
from novum.arenas.regret.search import SearchSettings, level, search
from novum.arenas.regret.solve import Table, average_strategy
from novum.arenas.regret.tree import Game
from novum.core.model.trial import Role
from novum.symbolic.machine import assembled
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program

SPACE = RegretArena().space
NAMED = {"kuhn": kuhn, "leduc": leduc, "goofspiel": goofspiel}


def known(iterations: int) -> list[dict[str, object]]:
    """Exploitability (NashConv) of published rules with published constants, both ways of updating, in named games."""
    rows: list[dict[str, object]] = []
    for alternating in (False, True):
        options = Options(iterations=iterations, alternating=alternating)
        for name, rule in RULES.items():
            program = SPACE.program(rule.genome())
            found = {
                game: exploitability(make(), average_strategy(program, options, make())) for game, make in NAMED.items()
            }
            rows.append({"rule": name, "alternating": alternating, **found})
    return rows


def speed(seconds: float) -> dict[str, float]:
    """CPU milliseconds of a run of 200 iterations in Kuhn poker, and of its exploitability."""
    options, out = Options(), {}
    table = Table.of(kuhn(), options)
    for name, rule in RULES.items():
        code = assembled(SPACE.program(rule.genome()), table.layout)
        began, count = time.process_time(), 0
        while not count or time.process_time() - began < seconds:
            table.begin()
            table.play((code.words, code.constants, code.bounds), 1, 200, True)
            count += 1
        out[name] = 1000 * (time.process_time() - began) / count
    began = time.process_time()
    for _ in range(20):
        exploitability(kuhn(), table.average())
    return {**out, "exploitability": 50 * (time.process_time() - began)}


def tuned(options: Options, trials: int) -> dict[str, Program]:
    """Each known rule at the best of its grid on search games, and each way of averaging as published."""
    games = [game for at in range(trials) for game in played(options, Role.SEARCH, 50_000 + at)]
    return {
        name: max((SPACE.program(one) for one in rule.variants()), key=lambda one: level(one, options, games))
        for name, rule in RULES.items()
    }


def measured(program: Program, options: Options, trials: int) -> dict[str, object]:
    """Relative exploitability of a rule by role (geometric means over trials), in named games, and longer runs."""
    out: dict[str, object] = {"equations": equations(program, SPACE.language), "genome": dict(SPACE.genome(program))}
    for role in Role:
        found = [
            geometric([_relative(program, options, game) for game in played(options, role, 90_000 + at)])
            for at in range(trials)
        ]
        logs = np.log(found)
        out[role.value] = {
            "geometric mean": geometric(found),
            "se of its log": float(logs.std(ddof=1) / len(logs) ** 0.5) if trials > 1 else 0.0,
        }
    for iterations in (options.iterations, 5 * options.iterations):
        longer = replace(options, iterations=iterations)
        out[f"{iterations} iterations"] = {name: _relative(program, longer, make()) for name, make in NAMED.items()}
    large = [random_game(np.random.default_rng((7, at)), 5, 5, 3) for at in range(max(1, trials // 4))]
    out["larger random games"] = geometric([_relative(program, options, game) for game in large])
    return out


def _relative(program: Program, options: Options, game: Game) -> float:
    """1 where there is no strategy."""
    average = average_strategy(program, options, game)
    return relative(game, average) if np.isfinite(average).all() else 1.0


def searches(options: Options, cpu: float, seeds: int, trials: int) -> list[dict[str, object]]:
    """What evolution finds from CFR, and rules drawn at random in the same time."""
    rows: list[dict[str, object]] = []
    for seed in range(seeds + 1):
        chance = seed == seeds
        settings = SearchSettings(start=SPACE.program(RULES["cfr"].genome()), random=chance)
        found = search(options, 1000 + seed, settings, cpu)
        nearest = recognise(found.program, options)
        rows.append(
            {
                "options": asdict(options),
                "seed": seed,
                "random": chance,
                "rules made": found.programs,
                "rules judged": found.judged,
                "cpu_seconds": round(found.cpu_seconds, 1),
                "nearest": asdict(nearest) | {"verdict": nearest.verdict},
                **measured(found.program, options, trials),
            }
        )
    return rows


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("known", "speed", "tuned", "search"), action="append")
    parser.add_argument("--cpu", type=float, default=60.0, help="CPU seconds of a search")
    parser.add_argument("--seeds", type=int, default=2, help="searches of each kind")
    parser.add_argument("--trials", type=int, default=16, help="of each role")
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="without line breaks")
    given = parser.parse_args()
    parts = given.part or ["known", "speed", "tuned", "search"]
    out: dict[str, object] = {"rounded up to": LEAST}
    if "known" in parts:
        out["known"] = known(given.iterations)
    if "speed" in parts:
        out["milliseconds"] = speed(min(0.5, given.cpu))
    both = [Options(iterations=given.iterations, alternating=one) for one in (True, False)]
    if "tuned" in parts:
        out["tuned"] = [
            {"rule": name, "alternating": options.alternating, **measured(program, options, given.trials)}
            for options in both
            for name, program in tuned(options, given.trials).items()
        ]
    if "search" in parts:
        out["search"] = searches(both[0], given.cpu, given.seeds, given.trials)
    print(json.dumps(out, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
