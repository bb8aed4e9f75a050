"""Published ways to adapt to a new task from a few examples, beside each other by number of examples.

    python benchmarks/adaptation.py --json
    python benchmarks/adaptation.py --tasks linear --only ridge --plot risk.svg

Every method is swept over the arena's four settings on two seeds of its own and runs at its best on fresh seeds, with
equal steps of learning beforehand. Told are the risk over the Bayes risk (tables: accuracy; text: bits a character)
with Student's interval at 90 % over seeds, numbers that a task keeps or changes, FLOP by construction and CPU time of a
trial. On tables scikit-learn's logistic regression, random forest and nearest neighbours see the same examples.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import altair
import numpy as np
from intervals import mean_interval

from novum.arenas.adaptation import trial as program
from novum.arenas.adaptation.arena import AdaptationArena
from novum.arenas.adaptation.episodes import exam, truth
from novum.arenas.adaptation.named import METHODS
from novum.arenas.adaptation.options import TASKS, Options
from novum.arenas.adaptation.score import by_level
from novum.core.model.candidate import Candidate, Genome, Setting
from novum.core.model.trial import Role, Trial, TrialGroup

SWEEP, FRESH = 900_000, 1_000
SHAPES: dict[str, dict[str, Any]] = {"text": {"shots": "0, 32, 128", "exam": 16}}
"""Options of tasks other than the arena's own."""
REFERENCES = ("logistic regression", "random forest", "3 nearest neighbours")


@dataclass(frozen=True)
class Measured:
    """A method on a task. levels: mean, low and high by number of examples; whole: of their mean."""

    task: str
    method: str
    whole: tuple[float, float, float]
    levels: dict[int, tuple[float, float, float]]
    state_floats: int
    flop: float
    cpu_seconds: float
    setting: Setting


def scores(genome: Genome, options: Options, setting: Setting, seeds: Sequence[int]) -> list[list[float]]:
    """Of each seed that gave answers: the score after each number of examples."""
    arena = AdaptationArena(options)
    trials = tuple(Trial(str(seed), seed, setting) for seed in seeds)
    group = TrialGroup("benchmark", Candidate(arena.space.validate(genome)), trials, asdict(options))
    outputs = program.run(group)
    return [
        list(arena.score(group, one, output.artefact).others.values())
        for one, output in zip(trials, outputs, strict=True)
        if output.artefact is not None
    ]


def methods(options: Options) -> list[str]:
    """Those that a task admits as they are, and of equal ones the first."""
    space, found = AdaptationArena(options).space, dict[str, str]()
    for name, genome in METHODS.items():
        whole = space.validate(genome)
        if all(whole[gene] == value for gene, value in genome.items()):
            found.setdefault(space.key(genome), name)
    return list(found.values())


def measured(name: str, options: Options, seeds: int) -> Measured | None:
    """A method at its best setting on fresh seeds; None where it gave no answers."""
    arena, best = AdaptationArena(options), None
    sign = 1 if options.classes else -1
    for setting in arena.spec.tuning:
        found = scores(METHODS[name], options, setting, (SWEEP, SWEEP + 1))
        value = sign * float(np.mean(found, 0)[: len(options.levels)].mean()) if found else -math.inf
        if best is None or value > best[0]:
            best = value, setting
    assert best is not None
    began = time.process_time()
    found = scores(METHODS[name], options, best[1], range(FRESH, FRESH + seeds))
    spent = (time.process_time() - began) / seeds
    if not found:
        return None
    cost = arena.cost(METHODS[name])
    columns = dict(zip(options.levels, zip(*found, strict=True), strict=False))  # what is told beside them is left out
    return Measured(
        options.task,
        name,
        mean_interval([statistics.fmean(row[: len(options.levels)]) for row in found]),
        {k: mean_interval(list(column)) for k, column in columns.items()},
        cost.state_floats,
        cost.flop,
        spent,
        best[1],
    )


def reference(name: str, options: Options, seeds: int) -> Measured:
    """A classifier of scikit-learn with its own defaults on the same examples of tables."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    def fitted(inputs: Any, labels: Any) -> Any:
        makers = {
            REFERENCES[0]: lambda: LogisticRegression(),
            REFERENCES[1]: lambda: RandomForestClassifier(50, random_state=0),
            REFERENCES[2]: lambda: KNeighborsClassifier(3 if len(labels) >= 3 else 1),
        }
        return makers[name]().fit(inputs, labels)

    began, found = time.process_time(), []
    for seed in range(FRESH, FRESH + seeds):
        seen, known = exam(options, Role.SEARCH, seed), truth(options, Role.SEARCH, seed)
        said = [
            [
                fitted(inputs[:k], labels[:k]).predict(asked)
                for inputs, labels, asked in zip(seen.inputs, seen.labels, seen.asked, strict=True)
            ]
            for k in options.levels
        ]
        found.append(by_level(options, np.array(said, dtype=float), known).tolist())
    levels = {
        k: mean_interval(list(column)) for k, column in zip(options.levels, zip(*found, strict=True), strict=True)
    }
    whole = mean_interval([statistics.fmean(row) for row in found])
    return Measured(options.task, name, whole, levels, 0, 0.0, (time.process_time() - began) / seeds, {})


def chart(found: Sequence[Measured]) -> altair.Chart:
    """Score against examples, a panel for each task."""
    rows = [
        {"task": one.task, "method": one.method, "examples": k, "score": mean, "low": low, "high": high}
        for one in found
        for k, (mean, low, high) in one.levels.items()
    ]
    base = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X("examples:Q", scale=altair.Scale(type="log", nice=False)), color="method:N"
    )
    lines = base.mark_line(point=True).encode(y=altair.Y("score:Q", scale=altair.Scale(type="log", nice=False)))
    bars = base.mark_rule(opacity=0.4).encode(y="low:Q", y2="high:Q")
    return (lines + bars).facet("task:N", columns=2).resolve_scale(y="independent")


def checks(found: Sequence[Measured]) -> dict[str, bool]:
    """What is known, as far as it was measured."""
    by = {(one.task, one.method): one.whole for one in found}
    wanted = {
        "ridge regression is within 2 % of the Bayes predictor of a linear map": (
            ("linear", "ridge"), lambda one: one[2] < 1.02),
        "the delta rule is not": (("linear", "delta rule"), lambda one: one[1] > 1.02),
        "one gradient step is not": (("linear", "one gradient step"), lambda one: one[1] > 1.02),
    }  # fmt: skip
    held = {words: bool(test(by[key])) for words, (key, test) in wanted.items() if key in by}
    for task in TASKS:
        one, other = by.get((task, "MAML")), by.get((task, "fine-tuning"))
        if one and other:
            better = one[1] > other[2] if task == "tables" else one[2] < other[1]
            held[f"MAML beats fine-tuning on {task}"] = better
    return held


def main() -> None:
    """Print what was measured and whether what is known holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--only", default="", help="methods with this in their name")
    parser.add_argument("--seeds", type=int, default=8, help="fresh ones")
    parser.add_argument("--steps", type=int, default=1000, help="of learning beforehand")
    parser.add_argument("--plot", type=Path, help="draw scores by examples to this .svg or .png")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore", category=FutureWarning)
    found: list[Measured] = []
    for task in args.tasks.split(","):
        options = Options(task=task, steps=args.steps, **SHAPES.get(task, {}))
        names = [name for name in (*methods(options), *(REFERENCES if options.classes else ())) if args.only in name]
        for name in names:
            one = reference(name, options, args.seeds) if name in REFERENCES else measured(name, options, args.seeds)
            if one is None:
                print(f"{task:9s} {name:30s} diverged", file=sys.stderr, flush=True)
                continue
            found.append(one)
            mean, low, high = one.whole
            words = f"{task:9s} {name:30s} {mean:.3f} [{low:.3f}, {high:.3f}]"
            print(f"{words}, {one.cpu_seconds:.2f} CPU s a trial", file=sys.stderr, flush=True)
    held = checks(found)
    if args.json:
        print(json.dumps({"measured": [asdict(one) for one in found], "checks": held}), flush=True)
    else:
        for words, holds in held.items():
            print(f"{'holds' if holds else 'FAILS':6s} {words}")
    if args.plot:
        from novum.report.calibration import write

        write(chart(found), args.plot)


if __name__ == "__main__":
    main()
