"""Memory rules without training: streams a core-minute, what known rules recall, and what a search finds.

python benchmarks/memory_rules.py --json
python benchmarks/memory_rules.py --part search --cpu 120 --seeds 3 --json
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

import numpy as np

from novum.arenas.memory.arena import MemoryArena
from novum.arenas.memory.named import RULES
from novum.arenas.memory.options import PARTS, Options
from novum.arenas.memory.recall import Flat, Machine, guesses
from novum.arenas.memory.recognise import recognise
from novum.arenas.memory.score import areas, total
from novum.arenas.memory.search import SearchSettings, level, search
from novum.arenas.memory.streams import Cell, cell, make
from novum.core.model.trial import Role
from novum.symbolic.machine import LANES
from novum.symbolic.mathematics import equations
from novum.symbolic.program import Program

FREE = Options(state="2d2")
SPACE = MemoryArena(FREE).space
TABLE = {"plain": (48, 64, 128), "correlated": (32, 64, 128), "overwritten": (16, 32, 64, 128)}
FIXED = {
    "hebb": (),
    "decay": (0.98,),
    "delta": (1.0,),
    "delta, half a step": (0.5,),
    "gated delta": (1.0, 0.98),
    "rls": (10.0,),
    "forgetting rls": (10.0, 0.98),
    "forgetting rls, .995": (10.0, 0.995),
}
SHARPNESS = (4.0, 8.0, 16.0, 32.0)
"""Of softmax attention, which keeps every pair: the upper bound outside the language."""


def speed(seconds: float) -> dict[str, float]:
    """Streams of all loads for each rule, regime and seed, at the sizes of the search; CPU time."""
    options = Options(state="2d2")
    flat = [(one.size, Flat.of(one)) for one in make(options, Role.SEARCH, 1)]
    machines = {size: Machine.of(options, size) for size in {size for size, _ in flat}}
    out = {}
    for name, rule in RULES.items():
        program = SPACE.program(next(iter(rule.variants())))
        codes = {size: one.code(program) for size, one in machines.items()}
        for size, one in flat:  # what is compiled at the first call is not timed
            machines[size].guesses(codes[size], one)
        began, count = time.process_time(), 0
        while not count or time.process_time() - began < seconds:
            for size, one in flat:
                machines[size].guesses(codes[size], one)
            count += len(options.regimes) * LANES
        out[name] = 60 * count / (time.process_time() - began)
    return out


def table(size: int, repeats: int) -> list[dict[str, object]]:
    """Shares recalled with the constants of the reference, by regime and pairs, with standard errors over streams."""
    rows: list[dict[str, object]] = []
    for regime, counts in TABLE.items():
        for pairs in counts:
            at = max(1, pairs * size // 64)
            cells = [_cell(regime, size, 4 * size, at, seed) for seed in range(repeats)]
            row: dict[str, object] = {"regime": regime, "pairs": at, "streams": repeats * LANES}
            for name, constants in FIXED.items():
                program = SPACE.program(RULES[name.partition(",")[0]].genome(*constants))
                row[name] = _shares(guesses(program, FREE, cells), cells)
            row["softmax"] = max(
                (_shares([_softmax(c, x) for c in cells], cells) for x in SHARPNESS), key=lambda s: s[0]
            )
            rows.append(row)
    return rows


def _cell(regime: str, size: int, values: int, pairs: int, seed: int) -> Cell:
    return cell(np.random.default_rng((seed, pairs)), regime, size, values, pairs, PARTS[Role.SEARCH])


def _shares(said: list[np.ndarray], cells: list[Cell]) -> list[float]:
    """Mean over streams, and its standard error."""
    shares = np.concatenate([(one == cell.answers).mean(0) for one, cell in zip(said, cells, strict=True)])
    return [round(float(shares.mean()), 4), round(float(shares.std(ddof=1) / len(shares) ** 0.5), 4)]


def _softmax(one: Cell, sharpness: float) -> np.ndarray:
    """Guesses from sum_i softmax(sharpness q.k_i) v_i."""
    weights = np.exp(sharpness * np.einsum("tdl,qdl->qtl", one.keys, one.questions))
    read = np.einsum("qtl,tdl->qdl", weights / weights.sum(1, keepdims=True), one.values)
    return np.einsum("qdl,vdl->qvl", read, one.codebook).argmax(1)


def ladder(options: Options, repeats: int) -> list[dict[str, object]]:
    """Known rules, each at the best of its grid on search streams, on streams of every role."""
    rows = []
    tuning = [make(options, Role.SEARCH, 50_000 + at) for at in range(repeats)]
    few = range(max(1, repeats // 4))
    others = {role: [make(options, role, 60_000 + at) for at in few] for role in (Role.GATE, Role.FINAL)}
    for name, rule in RULES.items():
        programs = [SPACE.program(one) for one in rule.variants()]
        best = max(programs, key=lambda one: level(one, options, tuning))
        there = {
            f"{role.value}, tuned there": round(max(level(one, options, streams) for one in programs), 4)
            for role, streams in others.items()
        }
        rows.append({"rule": name, **measured(best, options, repeats), **there})
    return rows


def measured(program: Program, options: Options, repeats: int) -> dict[str, object]:
    """The areas of a rule in every regime and role, its equations, and what it costs."""
    out: dict[str, object] = {"equations": equations(program, SPACE.language), "genome": dict(SPACE.genome(program))}
    for role in Role:
        found = []
        for at in range(repeats):
            cells = make(options, role, 90_000 + at)
            found.append(areas(cells, guesses(program, options, cells)))
        mean = {name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]}
        spread = np.std([total(options, one) for one in found], ddof=1) if repeats > 1 else 0.0
        out[role.value] = {**mean, "score": round(total(options, mean), 4), "sd of a trial": round(float(spread), 4)}
    cost = MemoryArena(FREE).cost(SPACE.genome(program))
    return {**out, "state_floats": cost.state_floats, "flop": cost.flop}


def searches(options: Options, start: str, cpu: float, seeds: int, repeats: int) -> list[dict[str, object]]:
    """What evolution finds from a known rule, and from programs drawn at random in a quarter of the time."""
    space = MemoryArena(options).space
    program = space.program(next(iter(RULES[start].variants())))
    rows: list[dict[str, object]] = []
    for seed in range(seeds + 1):
        chance = seed == seeds
        settings = SearchSettings(start=program, random=chance)
        found = search(options, 1000 + seed, settings, cpu / 4 if chance else cpu)
        known = recognise(found.program, options)
        rows.append(
            {
                "options": asdict(options),
                "start": start,
                "seed": seed,
                "random": chance,
                "rules made": found.programs,
                "rules judged": found.judged,
                "cpu_seconds": round(found.cpu_seconds, 1),
                "nearest": asdict(known) | {"verdict": known.verdict},
                **measured(found.program, Options(regime="all", score=options.score), repeats),
            }
        )
    return rows


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("speed", "table", "ladder", "search"), action="append")
    parser.add_argument("--cpu", type=float, default=60.0, help="CPU seconds of a search")
    parser.add_argument("--seeds", type=int, default=2, help="searches of each kind")
    parser.add_argument("--kinds", type=int, default=4, help="of searches: the first so many of four")
    parser.add_argument("--repeats", type=int, default=16, help="sets of eight streams")
    parser.add_argument("--size", type=int, default=64, help="dimensions of the table")
    parser.add_argument("--json", action="store_true", help="without line breaks")
    given = parser.parse_args()
    parts = given.part or ["speed", "table", "ladder", "search"]
    out: dict[str, object] = {}
    if "speed" in parts:
        out["streams per core-minute"] = speed(min(1.0, given.cpu))
    if "table" in parts:
        out["table"] = {"d": given.size, "V": 4 * given.size, "rows": table(given.size, max(1, given.repeats // 4))}
    if "ladder" in parts:
        out["ladder"] = ladder(Options(), given.repeats)
    if "search" in parts:
        kinds = [
            (Options(regime="overwritten"), "hebb"),
            (Options(), "hebb"),
            (Options(write_flop=5), "delta"),
            (Options(state="2d2"), "rls"),
        ]
        out["search"] = [
            row
            for options, start in kinds[: given.kinds]
            for row in searches(options, start, given.cpu, given.seeds, given.repeats)
        ]
    print(json.dumps(out, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
