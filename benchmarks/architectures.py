"""Known answers about sequence architectures at the size of a CPU: each with its figures, intervals and CPU seconds.

    python benchmarks/architectures.py --json

Every design is swept over the arena's learning rates on seeds of its own (the best by the mean of two), then trained at
its best rate on fresh seeds; a claim holds when its bound is met by the mean, and the interval is Student's at 90 %.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

from intervals import interval

from novum.arenas.sequence import trial as program
from novum.arenas.sequence.arena import SequenceArena
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.spec import RATES
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.trial import Trial, TrialGroup

SWEEP_SEEDS = (900_001, 900_002)
FRESH = 1_000


@dataclass(frozen=True)
class Design:
    """A genome's changes to the baseline, and the study's options."""

    name: str
    genome: Genome
    tasks: str
    steps: int
    width: int = 32
    layers: int = 1
    stretch: int = 1
    batch: int = 16
    metric: str = "accuracy"


@dataclass(frozen=True)
class Measured:
    """Scores on fresh seeds at the best of the rates."""

    design: str
    task: str
    rate: float
    mean: float
    low: float
    high: float
    scores: list[float]
    cpu_seconds: float


def measure(
    design: Design, seeds: int, rates: tuple[float, ...] = RATES, sweep: tuple[int, ...] = SWEEP_SEEDS
) -> Measured:
    began = time.process_time()
    options = Options(
        tasks=design.tasks,
        steps=design.steps,
        width=design.width,
        layers=design.layers,
        stretch=design.stretch,
        batch=design.batch,
        metric=design.metric,  # type: ignore[arg-type]  # checked by the options
    )
    arena = SequenceArena(options)
    genome = arena.space.validate({**arena.spec.baseline, **design.genome})
    swept = {rate: statistics.mean(_scores(arena, genome, sweep, rate)) for rate in rates}
    best = max if arena.spec.higher_is_better else min
    rate = best(swept, key=lambda one: swept[one])
    scores = _scores(arena, genome, tuple(range(FRESH, FRESH + seeds)), rate)
    low, high = interval(scores)
    seconds = time.process_time() - began
    return Measured(design.name, design.tasks, rate, statistics.mean(scores), low, high, scores, seconds)


def _scores(arena: SequenceArena, genome: Genome, seeds: tuple[int, ...], rate: float) -> list[float]:
    trials = tuple(Trial(str(seed), seed, {"lr": rate}) for seed in seeds)
    group = TrialGroup("measured", Candidate(genome), trials, asdict(arena.options))
    outputs = program.run(group)
    floor = arena.spec.floor if arena.spec.floor is not None else math.log(arena.options.named[0].task.outputs)
    return [
        floor if one.artefact is None else arena.score(group, trial, one.artefact).value  # diverged: a uniform guess
        for trial, one in zip(trials, outputs, strict=True)
    ]


RECALL = "mqar(length=32, keys=4, vocabulary=64)"
OVERWRITE = "overwrite"
PARITY = "parity(length=32)"

DESIGNS = {
    "attention": Design("attention", {"layer_1": "attention"}, RECALL, 600),
    "delta": Design("delta", {"layer_1": "delta"}, RECALL, 600),
    "delta without convolution": Design("delta without convolution", {"layer_1": "delta", "taps": 0}, RECALL, 600),
    "mamba2": Design("mamba2", {"layer_1": "mamba2"}, RECALL, 600),
    "mamba2 without convolution": Design("mamba2 without convolution", {"layer_1": "mamba2", "taps": 0}, RECALL, 600),
    "overwrite: linear": Design("overwrite: linear", {"layer_1": "own"}, OVERWRITE, 400),
    "overwrite: delta": Design("overwrite: delta", {"layer_1": "delta"}, OVERWRITE, 400),
    "parity: beta in (0, 1)": Design("parity: beta in (0, 1)", {"layer_1": "delta"}, PARITY, 1500),
    "parity: beta in (0, 2)": Design("parity: beta in (0, 2)", {"layer_1": "delta-wide"}, PARITY, 1500),
    "parity: rotation": Design("parity: rotation", {"layer_1": "mamba3"}, PARITY, 800),
    "parity: no rotation": Design("parity: no rotation", {"layer_1": "mamba2"}, PARITY, 800),
}
for _task, _line in (("stack", "stacks"), ("palindrome", "palindrome")):
    for _mixer in ("mamba2", "gated-delta", "kda"):
        DESIGNS[f"{_task}: {_mixer}"] = Design(f"{_task}: {_mixer}", {"layer_1": _mixer}, _line, 800)

Check = tuple[str, tuple[str, ...], Callable[[dict[str, float]], bool]]
CHECKS: tuple[Check, ...] = (
    ("attention reaches .99 on MQAR", ("attention",), lambda m: m["attention"] >= 0.99),
    (
        "without its short convolution, delta loses .3 or more of its recall",
        ("delta", "delta without convolution"),
        lambda m: m["delta"] - m["delta without convolution"] >= 0.3,
    ),
    (
        "without its short convolution, Mamba-2 loses .3 or more of its recall",
        ("mamba2", "mamba2 without convolution"),
        lambda m: m["mamba2"] - m["mamba2 without convolution"] >= 0.3,
    ),
    (
        "delta beats linear attention by .2 where keys are overwritten",
        ("overwrite: linear", "overwrite: delta"),
        lambda m: m["overwrite: delta"] - m["overwrite: linear"] >= 0.2,
    ),
    ("beta in (0, 2) solves parity (.99)", ("parity: beta in (0, 2)",), lambda m: m["parity: beta in (0, 2)"] >= 0.99),
    (
        "beta in (0, 1) stays near chance on parity (.65: every prefix is asked, also those that a convolution sees)",
        ("parity: beta in (0, 1)",),
        lambda m: m["parity: beta in (0, 1)"] <= 0.65,
    ),
    ("a rotating state solves parity (.99)", ("parity: rotation",), lambda m: m["parity: rotation"] >= 0.99),
    ("without rotation it does not (.65)", ("parity: no rotation",), lambda m: m["parity: no rotation"] <= 0.65),
    *(
        (
            f"{mixer} beats Mamba-2 on {task}",
            (f"{task}: mamba2", f"{task}: {mixer}"),
            lambda m, task=task, mixer=mixer: m[f"{task}: {mixer}"] > m[f"{task}: mamba2"],
        )
        for task in ("stack", "palindrome")
        for mixer in ("gated-delta", "kda")
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="fresh ones per design")
    parser.add_argument("--only", default="", help="designs whose name contains this")
    parser.add_argument("--steps", type=int, default=0, help="of every training, instead of each design's own")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    measured: dict[str, Measured] = {}
    for name, design in DESIGNS.items():
        if args.only not in name:
            continue
        if args.steps:
            design = Design(**{**asdict(design), "steps": args.steps})
        found = measured[name] = measure(design, args.seeds)
        words = f"{name:30s} {found.mean:.3f} [{found.low:.3f}, {found.high:.3f}] at rate {found.rate:g}"
        print(f"{words}, {found.cpu_seconds:.0f} CPU s", file=sys.stderr, flush=True)
    means = {name: one.mean for name, one in measured.items()}
    checks = {words: bool(holds(means)) for words, needed, holds in CHECKS if all(name in means for name in needed)}
    if args.json:
        print(json.dumps({"measured": [asdict(one) for one in measured.values()], "checks": checks}))
        return
    for words, held in checks.items():
        print(f"{'holds' if held else 'FAILS':6s} {words}")


if __name__ == "__main__":
    main()
