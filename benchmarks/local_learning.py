"""Local learning rules: accuracies at equal samples, agreement of predictive coding with the gradient, runs per hour.

    python benchmarks/local_learning.py --json
    python benchmarks/local_learning.py --part agreement --plot agreement.svg --json

`accuracy`: every named rule gets the same sweep, four learning rates by two updates on two seeds of its own, then runs
at its best on fresh seeds; backpropagation, the reference, gets no more. `runs_per_core_hour`: members of those groups,
trained side by side on one thread, by CPU time. `agreement`: the cosine of predictive coding's update with the
gradient, the mean over hidden layers, at the start of training on digits (tanh), and `residual`, how much of the
activities' first change is still to come when the relaxation is cut off. Intervals are Student's at 90 % over seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from intervals import interval

from novum.arenas.local_learning import trial as program
from novum.arenas.local_learning.arena import LocalLearningArena
from novum.arenas.local_learning.data import lesson
from novum.arenas.local_learning.named import RULES
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.rules.alignment import cosines, gradients
from novum.arenas.local_learning.rules.feedback import feedback
from novum.arenas.local_learning.rules.network import Network
from novum.arenas.local_learning.rules.noise import Noise
from novum.arenas.local_learning.rules.prediction import Prediction
from novum.arenas.local_learning.space import Design
from novum.arenas.local_learning.spec import RATES
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.trial import Role, Trial, TrialGroup
from novum.report.calibration import write
from novum.report.gradient_agreement_chart import AgreementCell, chart

TASKS = ("mnist1d", "mnist1d-permuted", "digits")
UPDATES = ("momentum", "adam")
SWEEP_SEEDS = (900_001, 900_002)
FRESH = 1_000
VARIANTS: dict[str, Genome] = {
    "forward-forward, four layers": {**RULES["forward-forward"].genes, "depth": 4},
    "feedback alignment, four layers": {**RULES["feedback alignment"].genes, "depth": 4},
    "evolution strategy, one-sided": {**RULES["evolution strategy of low rank"].genes, "antithetic": False},
}
"""Beside the named rules, for known answers."""


@dataclass(frozen=True)
class Accuracy:
    """A rule on a task: scores on fresh seeds at the best of the sweep, the last cosines by layer, FLOP of a run."""

    rule: str
    task: str
    rate: float
    update: str
    mean: float
    low: float
    high: float
    scores: list[float]
    cosines: list[float]
    cosine_lows: list[float]
    flop: float
    runs_per_core_hour: float


@dataclass(frozen=True)
class Agreement(AgreementCell):
    """A cell of the grid with what is left of the relaxation."""

    residual: float


def accuracy(name: str, genes: Genome, options: Options, seeds: int) -> Accuracy:
    arena, swept = LocalLearningArena(options), {}
    began, runs = time.process_time(), 0
    for update in UPDATES:
        genome = arena.space.validate({**genes, "update": update})
        pairs = [(rate, seed) for rate in RATES for seed in SWEEP_SEEDS]
        scores, _ = _run(arena, genome, pairs)
        runs += len(pairs)
        for at, rate in enumerate(RATES):
            swept[update, rate] = statistics.mean(scores[2 * at : 2 * at + 2])
    update, rate = max(swept, key=lambda one: swept[one])
    genome = arena.space.validate({**genes, "update": update})
    scores, layers = _run(arena, genome, [(rate, seed) for seed in range(FRESH, FRESH + seeds)])
    seconds = (time.process_time() - began) / (runs + seeds)
    low, high = interval(scores)
    means, lows = [statistics.mean(each) for each in layers], [interval(each)[0] for each in layers]
    flop = arena.cost(genome).flop
    mean = statistics.mean(scores)
    return Accuracy(name, options.task, rate, update, mean, low, high, scores, means, lows, flop, 3600 / seconds)


def _run(
    arena: LocalLearningArena, genome: Genome, pairs: Sequence[tuple[float, int]]
) -> tuple[list[float], list[list[float]]]:
    """Scores, chance for what diverged, and the last cosines of each layer over the members that did not."""
    trials = tuple(Trial(str(at), seed, {"lr": rate}) for at, (rate, seed) in enumerate(pairs))
    group = TrialGroup("measured", Candidate(genome), trials, asdict(arena.options))
    outputs = program.run(group)
    scores = [
        0.1 if one.artefact is None else arena.score(group, trial, one.artefact).value
        for trial, one in zip(trials, outputs, strict=True)
    ]
    facts = [list(one.facts.values())[-int(genome["depth"]) :] for one in outputs if one.facts]
    return scores, [list(each) for each in zip(*facts, strict=True)]


def agreements(
    widths: Sequence[int], depths: Sequence[int], nudges: Sequence[float], steps: int, seeds: int
) -> Iterator[Agreement]:
    options, members = Options(task="digits"), tuple(range(FRESH, FRESH + seeds))
    lessons = [lesson(options, Role.SEARCH, seed) for seed in members]
    inputs = torch.stack([torch.from_numpy(one.inputs[:16]) for one in lessons])
    labels = torch.stack([torch.from_numpy(one.labels[:16]) for one in lessons])
    for depth in depths:
        for width in widths:
            for nudge in nudges:
                yield _cell(width, depth, nudge, steps, members, inputs, labels)


@torch.no_grad()
def _cell(
    width: int, depth: int, nudge: float, steps: int, members: Sequence[int], inputs: torch.Tensor, labels: torch.Tensor
) -> Agreement:
    design = Design(
        signal="transpose",
        settling="prediction",
        activation="tanh",
        width=width,
        depth=depth,
        nudge=nudge,
        steps=steps,
        step_size=0.1,
    )
    network = Network.drawn(design, inputs.shape[-1], members)
    rule = Prediction(network, feedback(network, members))
    layers = cosines(rule.directions(inputs, labels, Noise(members, "benchmark")), gradients(rule, inputs, labels))
    each = [statistics.mean(one) for one in zip(*layers, strict=True)]
    low, high = interval(each)
    last = rule.settle(inputs, labels, network.forward(inputs), nudge).residual
    network.design = Design(**{**asdict(design), "steps": 0})
    first = rule.settle(inputs, labels, network.forward(inputs), nudge).residual
    return Agreement(width, depth, nudge, statistics.mean(each), low, high, float((last / first).mean()))


def checks(found: Sequence[Accuracy], grid: Sequence[Agreement]) -> dict[str, bool]:
    """Known answers, as far as what was measured says something about them."""
    by = {(one.rule, one.task): one for one in found}
    out: dict[str, bool] = {}
    for task in TASKS:
        top, fixed = by.get(("backpropagation", task)), by.get(("predictive coding, fixed predictions", task))
        if top and fixed:
            within = fixed.low <= top.high and top.low <= fixed.high
            out[f"{task}: predictive coding with fixed predictions is as accurate as backpropagation"] = within
        if aligned := by.get(("feedback alignment", task)):
            out[f"{task}: feedback alignment is within 90 degrees in every layer"] = min(aligned.cosine_lows) > 0
        both, one = by.get(("evolution strategy of low rank", task)), by.get(("evolution strategy, one-sided", task))
        if both and one:
            out[f"{task}: antithetic pairs help the evolution strategy"] = both.low > one.high
        two, four = by.get(("forward-forward", task)), by.get(("forward-forward, four layers", task))
        if two and four:
            out[f"{task}: forward-forward loses by depth"] = two.low > four.high
    plain, permuted = by.get(("backpropagation", "mnist1d")), by.get(("backpropagation", "mnist1d-permuted"))
    if plain and permuted:
        apart = permuted.low > plain.high or plain.low > permuted.high
        out["permuted points are all the same to a multilayer perceptron"] = not apart
    cells = {(one.width, one.depth, one.nudge): one.cosine for one in grid}
    if cells:
        nudges = sorted({nudge for _, _, nudge in cells})
        pairs = [(cells[w, d, nudges[0]], cells[w, d, nudges[-1]]) for w, d, nudge in cells if nudge == nudges[0]]
        out["a smaller nudge brings predictive coding nearer to the gradient in every cell"] = all(
            one > other for one, other in pairs
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("all", "accuracy", "agreement"), default="all")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--only", default="", help="rules whose name contains this")
    parser.add_argument("--samples", type=int, default=16_000)
    parser.add_argument("--seeds", type=int, default=6, help="fresh ones per rule")
    parser.add_argument("--widths", default="16,32,64,128,256,512")
    parser.add_argument("--depths", default="2,4,8,16")
    parser.add_argument("--nudges", default="0.1,1")
    parser.add_argument("--steps", type=int, default=2000, help="of the relaxation")
    parser.add_argument("--cells", type=int, default=4, help="seeds of a cell")
    parser.add_argument("--plot", type=Path, help="draw the agreement to this .svg or .png")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    found: list[Accuracy] = []
    genomes = {**{name: rule.genes for name, rule in RULES.items()}, **VARIANTS}
    for task in args.tasks.split(",") if args.part != "agreement" else ():
        options = Options(task=task, samples=args.samples, backprop=True)
        for name in (name for name in genomes if args.only in name):
            found.append(one := accuracy(name, genomes[name], options, args.seeds))
            words = f"{task:17s} {name:37s} {one.mean:.3f} [{one.low:.3f}, {one.high:.3f}] {one.update} {one.rate:g}"
            print(f"{words}, {one.runs_per_core_hour:.0f} runs an hour", file=sys.stderr, flush=True)
    grid: list[Agreement] = []
    if args.part != "accuracy":
        widths, depths, nudges = (
            [float(x) for x in given.split(",")] for given in (args.widths, args.depths, args.nudges)
        )
        for cell in agreements([int(x) for x in widths], [int(x) for x in depths], nudges, args.steps, args.cells):
            grid.append(cell)
            print(f"{cell}", file=sys.stderr, flush=True)
    held = checks(found, grid)
    if args.json:
        spent = time.process_time() - began
        told = {"accuracy": [asdict(one) for one in found], "agreement": [asdict(one) for one in grid]}
        print(json.dumps({**told, "checks": held, "cpu_seconds": spent}), flush=True)
    else:
        for words, holds in held.items():
            print(f"{'holds' if holds else 'FAILS':6s} {words}")
    if args.plot:
        write(chart(grid), args.plot)


if __name__ == "__main__":
    main()
