"""The engine of the programs arena: programs per second, seconds to rediscover least mean squares, equality with numpy.

    python benchmarks/programs.py --json
    python benchmarks/programs.py --seeds 10 --bound 120

The setting is that of the demonstration of AutoML-Zero (arXiv 2003.03384): 4 features, 100 examples to learn from and
20 to be scored on, at most 4 + 2 + 8 instructions of 6 operations, eight tasks at once. Seconds are of CPU, of one
thread, with mutation, selection and the check on other tasks; compilation is told apart. `random_solved`: how many
seeds the same engine solves in the same time when programs are drawn without selection.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from dataclasses import asdict, dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from novum.arenas.programs.arena import ProgramsArena
from novum.arenas.programs.options import Options
from novum.arenas.programs.recognise import nearest
from novum.arenas.programs.search import SearchSettings, lived, search
from novum.arenas.programs.tasks import Task, make
from novum.core.model.trial import Role
from novum.symbolic import interpreter
from novum.symbolic.machine import LANES
from novum.symbolic.program import Program
from novum.symbolic.variation import random_program

ENOUGH = 0.9999


@dataclass(frozen=True)
class Result:
    """All that was measured."""

    programs_per_second: float
    demo_median_cpu_seconds: float
    demo_cpu_seconds: list[float]
    demo_solved: int
    demo_rules: list[str]
    random_solved: int
    random_best: float
    compile_cpu_seconds: float
    compared_with_numpy: int
    differing: int
    shares: dict[str, float]
    """Of programs: lived to the end, known by fingerprint, known by what they say, given up early."""


def demo(seeds: int, bound: float) -> Result:
    """Search on `seeds` seeds, each for at most `bound` CPU seconds, with which one that is not solved counts."""
    options, settings = Options(), SearchSettings(enough=ENOUGH)
    began = time.process_time()
    search(options, 0, settings, 0.01)
    compiled = time.process_time() - began
    found = [search(options, seed, settings, bound) for seed in range(seeds)]
    drawn = SearchSettings(enough=ENOUGH, random=True)
    chance = [search(options, seed, drawn, one.cpu_seconds) for seed, one in enumerate(found)]
    seconds = [round(one.cpu_seconds, 3) for one in found]
    made, counts = sum(one.programs for one in found), np.sum([one.counts for one in found], 0)
    names = ("lived", "known by fingerprint", "known by what they say", "given up early")
    compared, differing = against_numpy(options, 1000)
    return Result(
        made / sum(one.cpu_seconds for one in found),
        statistics.median(seconds),
        seconds,
        sum(one.fitness > ENOUGH for one in found),
        [nearest(one.program, options).words for one in found],
        sum(one.fitness > ENOUGH for one in chance),
        max(one.fitness for one in chance),
        compiled,
        compared,
        differing,
        {name: round(float(count) / made, 4) for name, count in zip(names, counts, strict=True)},
    )


def against_numpy(options: Options, programs: int) -> tuple[int, int]:
    """How many random programs were compared with the interpreter in numpy, and how many differ in any bit."""
    rng, differing = random.Random(0), 0
    language = ProgramsArena(options).space.language
    task = make(options, Role.SEARCH, 1)
    for _ in range(programs):
        program = random_program(language, rng)
        ours = lived(program, options, task)
        differing += not np.array_equal(ours, plainly(program, options, task), equal_nan=True)
    return programs, differing


def plainly(program: Program, options: Options, task: Task) -> np.ndarray:
    """What a program says, by the interpreter in numpy."""
    language, out = ProgramsArena(options).space.language, []
    registers = interpreter.fresh_registers(language, task.examples.shape[1], LANES)
    interpreter.run(program.parts[0], registers)
    for step, (x, y) in enumerate(zip(task.examples, task.labels, strict=True)):
        registers["x"] = x
        interpreter.run(program.parts[1], registers)
        if step >= task.scored_from:
            out.append(registers["p"][None])
        if step < task.trained:
            registers["y"] = y
            interpreter.run(program.parts[2], registers)
    return np.array(out)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--bound", type=float, default=120.0, help="CPU seconds a seed may take")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = asdict(demo(given.seeds, given.bound))
    if given.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
