"""Trained networks per core-hour: as a population, one after the other in a warm process, and in a process each.

    python benchmarks/training.py --json

One layer, 16 sequences of 32 tokens a step, 300 steps, one thread, in CPU time.

`population_per_core_hour`: a process of its own that trains `--trials` members in `--places` places through a
compiled step that it finds on disk; start, imports, reading the step, drawing data and initial values included.
`cold_population_per_core_hour`: the same by the first process on a machine, which compiles the step
(`compile_cpu_seconds`, the C++ compiler's included). `warm_per_core_hour`: the same code with one member at a time,
not compiled, in a process that is warm. `process_per_core_hour`: in a process each; both are medians of `--repeats`.
`compiled_warm_per_core_hour`: one at a time through a compiled step, its compilation left out. Without a compiler the
eager step runs, and `compiled` is false.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")
_CACHE = os.environ.get("TORCHINDUCTOR_CACHE_DIR") if "--one" in sys.argv else ""
_CACHE = _CACHE or tempfile.mkdtemp(prefix="novum-training-")
os.environ["TORCHINDUCTOR_CACHE_DIR"] = _CACHE

import torch  # noqa: E402

from novum.arenas.sequence.options import Options  # noqa: E402
from novum.arenas.sequence.score import training_sequences  # noqa: E402
from novum.core.model.trial import Role  # noqa: E402
from novum.population.member_count import suggested_places  # noqa: E402
from novum.population.mixers.matrix_state import MatrixState  # noqa: E402
from novum.population.mixers.mixer_core import Core  # noqa: E402
from novum.population.mixers.named import NAMED  # noqa: E402
from novum.population.network import Network  # noqa: E402
from novum.population.recipe import Member, Recipe  # noqa: E402
from novum.population.stack import Layer, Stack  # noqa: E402
from novum.population.training import Training, train  # noqa: E402

TASK = "mqar(length=32, keys=8, vocabulary=64)"
BATCH = 16
CELLS = (("attention", 16), ("linear", 32), ("delta", 32))


@dataclass(frozen=True)
class Row:
    """One mixer at one width. Per core-hour: whole trainings, set-up included."""

    mixer: str
    width: int
    population_per_core_hour: float
    warm_per_core_hour: float
    process_per_core_hour: float
    cold_population_per_core_hour: float
    compiled_warm_per_core_hour: float
    times_warm: float
    times_process: float
    peak_fraction: float
    """Matrix FLOP per second of the population's steps over those of its largest product alone."""
    gflop_per_second: float
    compile_cpu_seconds: float
    compiled: bool
    milliseconds_per_step_and_member: float


def cpu_seconds() -> float:
    """Of this process and of the compilers that it started."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def core(mixer: str, width: int) -> Core:
    """The mixers of the benchmark: linear attention without normaliser, as the recall arena has it."""
    if mixer == "linear":
        return MatrixState(1, 16, width)
    return NAMED[mixer].make(1, 16, width)


def training(mixer: str, width: int, steps: int, seeds: range, places: int, compiling: str) -> Training:
    options = Options(tasks=TASK, batch=BATCH, width=width)
    (one,) = options.named
    stack = Stack(one.task.vocabulary, one.task.outputs, width, (Layer(core(mixer, width), 4),))
    return train(
        Network(stack),
        Recipe(steps, BATCH),
        [Member(seed, 0.01) for seed in seeds],
        lambda seed, block, rows: training_sequences(options, one, Role.SEARCH, seed, block, rows),
        places=places,
        compiling=compiling,
    )


def in_own_process(words: list[str], compiling: str) -> float:
    """CPU seconds of this script in a process of its own, doing one training."""
    before = os.times()
    subprocess.run([sys.executable, __file__, "--compiling", compiling, "--one", *words], check=True, env=os.environ)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def peak(stack: Stack, places: int) -> float:
    """FLOP per second of the step's largest product alone: the projection of a layer's input, for all places."""
    tokens, inner = BATCH * 32, sum(stack.layers[0].taken.values())
    places = places or suggested_places(stack, BATCH, 32)
    a, b = torch.randn(places, tokens, stack.width), torch.randn(places, stack.width, inner)
    rates = []
    for _ in range(7):
        began, count = cpu_seconds(), 0
        while cpu_seconds() - began < 0.05:
            torch.bmm(a, b)
            count += 1
        rates.append(2 * places * tokens * stack.width * inner * count / (cpu_seconds() - began))
    return statistics.median(rates)


def measure(mixer: str, width: int, args: argparse.Namespace) -> Row:
    steps, trials, places = args.steps, args.trials, args.places
    one_by_one, own = [], []
    words = [mixer, str(width), str(steps)]
    for repeat in range(args.repeats):
        began = cpu_seconds()
        training(mixer, width, steps, range(repeat, repeat + 1), 1, "never")
        one_by_one.append(cpu_seconds() - began)
        own.append(in_own_process(words, "never"))
    began = cpu_seconds()
    whole = training(mixer, width, steps, range(trials), places, args.compiling)
    cold = (cpu_seconds() - began) / trials
    mine = in_own_process([*words, str(trials), str(places)], args.compiling) / trials
    alone = training(mixer, width, steps, range(args.repeats), 1, args.compiling).cpu_seconds / args.repeats
    options = Options(tasks=TASK, batch=BATCH, width=width)
    task = options.named[0].task
    stack = Stack(task.vocabulary, task.outputs, width, (Layer(core(mixer, width), 4),))
    flop = stack.training_flop(BATCH, task.length, task.queries)
    per_step = whole.cpu_seconds / trials / steps
    warm, process = statistics.median(one_by_one), statistics.median(own)
    return Row(
        mixer=mixer,
        width=width,
        population_per_core_hour=3600 / mine,
        warm_per_core_hour=3600 / warm,
        process_per_core_hour=3600 / process,
        compiled_warm_per_core_hour=3600 / alone,
        cold_population_per_core_hour=3600 / cold,
        times_warm=warm / mine,
        times_process=process / mine,
        peak_fraction=flop / per_step / peak(stack, places),
        gflop_per_second=flop / per_step / 1e9,
        compile_cpu_seconds=whole.step.cpu_seconds,
        compiled=whole.step.compiled,
        milliseconds_per_step_and_member=1e3 * per_step,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=512)
    parser.add_argument("--places", type=int, default=0, help="0: as many as the shapes suggest")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5, help="of the trainings one after the other")
    parser.add_argument("--only", default="", help="one mixer")
    parser.add_argument("--compiling", choices=("always", "never"), default="always")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    try:
        if args.one:
            mixer, width, steps, *more = args.one
            trials, places = (int(x) for x in more) if more else (1, 1)
            training(mixer, int(width), int(steps), range(trials), places, args.compiling if more else "never")
            return
        training("delta", 8, 2, range(1), 1, "never")
        rows = [measure(mixer, width, args) for mixer, width in CELLS if args.only in ("", mixer)]
    finally:
        if not args.one:
            shutil.rmtree(_CACHE, ignore_errors=True)
    if args.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    print("mixer      width  per core-hour: population  one by one  own process    times   of peak  ms/step")
    for row in rows:
        print(
            f"{row.mixer:10s} {row.width:5d} {row.population_per_core_hour:26,.0f} {row.warm_per_core_hour:11,.0f} "
            f"{row.process_per_core_hour:12,.0f} {row.times_warm:5.1f} {row.times_process:5.1f} "
            f"{row.peak_fraction:6.1%} {row.milliseconds_per_step_and_member:8.3f}"
        )


if __name__ == "__main__":
    main()
