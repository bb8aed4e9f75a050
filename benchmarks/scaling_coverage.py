"""Scaling laws refitted on synthetic IsoFLOP designs, and how often 90 % intervals hold the truth, by method.

python benchmarks/scaling_coverage.py                              200 refits of each setting, about 300 CPU seconds
python benchmarks/scaling_coverage.py --refits 1000 --only profile --json

A design is 5 compute budgets x 6 sizes x 2 seeds, unless it is called few: 3 x 4 x 1. Noise is a share of the loss.
profile: the shipped intervals; equal: the same, fitted as if noise were the same at all losses; errors: t times the
standard error to both sides; residuals, cells, runs: percentiles of bootstraps. prediction: the loss of one run at ten
times the largest compute. comparison: two architectures on one design; half of the noise is common to both.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from novum.scaling.bootstrap import Resampling, percentiles, refits
from novum.scaling.compare import compare
from novum.scaling.design import Design, DesignOptions, PlannedCell, plan
from novum.scaling.fit import Fit, fit
from novum.scaling.joint_region import held_excess
from novum.scaling.law import ScalingLaw
from novum.scaling.places import Noise, unscaled
from novum.scaling.prediction import judge, predict
from novum.scaling.simulate import simulate
from novum.scaling.solvers.precision import precision
from novum.scaling.solvers.quantiles import student_quantile
from novum.scaling.solvers.variable_projection import solve
from novum.scaling.training_runs import TrainingRun

SHOWN = ("E", "A", "alpha", "beta", "a", "gamma")
METHODS = ("profile", "equal", "errors", *Resampling)
LAWS = {
    "small": (ScalingLaw(1.2, 33.0, 127.0, 0.35, 0.37), 1.75e14),
    "besiroglu": (ScalingLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658), 1.75e22),
    "steep": (ScalingLaw(2.12, 7000.0, 3400.0, 0.8, 0.6), 1.75e14),
}
"""A law and a budget in FLOP of which the largest cells get about a twentieth."""
STEEPER = ScalingLaw(1.2, 33.0 * 1e4**0.03, 127.0, 0.38, 0.37)
"""Its loss is that of the small law at 10,000 parameters, and falls faster with their number."""


@dataclass(frozen=True)
class Setting:
    """Which law, which noise (see `simulate`), and whether the design has few runs."""

    law: str
    spread: float
    shared: float = 0.0
    decline: float = 0.0
    few: bool = False

    @property
    def name(self) -> str:
        words = {"shared": self.shared > 0, "falling": self.decline > 0, "few": self.few}
        return ", ".join([self.law, f"{100 * self.spread:g} %", *(word for word, there in words.items() if there)])

    @property
    def true(self) -> ScalingLaw:
        return LAWS[self.law][0]

    @property
    def design(self) -> Design:
        options = DesignOptions(budgets=3, sizes=4, repeats=1) if self.few else DesignOptions()
        return plan(LAWS[self.law][1], options, self.true)

    def runs(self, cells: Sequence[PlannedCell], rng: np.random.Generator) -> list[TrainingRun]:
        return simulate(self.true, cells, self.spread, rng, shared=self.shared, decline=self.decline)


SETTINGS = [Setting(law, spread) for law in LAWS for spread in (0.002, 0.005, 0.01)]
SETTINGS += [Setting("small", 0.005, shared=0.5), Setting("small", 0.005, decline=0.2)]
SETTINGS += [Setting("small", 0.005, few=True), Setting("small", 0.02, few=True)]


def truth(law: ScalingLaw) -> dict[str, float]:
    return {name: getattr(law, name) for name in SHOWN}


def intervals(runs: list[TrainingRun], methods: list[str], resamples: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Of each method the ends of the intervals by name."""
    found = fit(runs)
    for method in methods:
        if method == Resampling.RUNS and len(found.cells) == len(runs):
            continue
        if method == "profile":
            yield method, {name: (one.low, one.high) for name, one in found.intervals.items()}
        elif method == "equal":
            equal = fit(runs, noise=Noise.EQUAL)
            yield method, {name: (one.low, one.high) for name, one in equal.intervals.items()}
        elif method == "errors":
            yield method, symmetric(found)
        else:
            again = refits(found, Resampling(method), resamples, seed)
            held = percentiles(found.places, again, found.level)
            yield method, {name: (one.low, one.high) for name, one in held.items()}


def symmetric(found: Fit[ScalingLaw]) -> dict[str, tuple[float, float]]:
    named = found.places.named()
    known = precision(found.rows, found.solution, list(named.values()))
    reach = student_quantile((1 + found.level) / 2, known.dof) * known.error
    ends = np.stack([known.value[0] - reach[0], known.value[0] + reach[0]], axis=1)
    return {name: tuple(unscaled(name, ends[at]).tolist()) for at, name in enumerate(named)}


def coverage(setting: Setting, methods: list[str], refitted: int, resamples: int, seed: int) -> list[dict[str, Any]]:
    """Of each method the share of intervals that hold the truth, and how wide those of E and a are in the middle."""
    design = setting.design
    held: dict[str, list[list[bool]]] = defaultdict(list)
    widths: dict[str, list[list[float]]] = defaultdict(list)
    for number in range(refitted):
        runs = setting.runs(design.cells, np.random.default_rng([seed, number]))
        for method, ends in intervals(runs, methods, resamples, number):
            held[method].append(
                [ends[name][0] <= value <= ends[name][1] for name, value in truth(setting.true).items()]
            )
            widths[method].append([ends[name][1] - ends[name][0] for name in ("E", "a")])
    rows = []
    for method in held:
        shares = dict(zip(SHOWN, np.mean(held[method], axis=0).round(3).tolist(), strict=True))
        width = np.median(widths[method], axis=0)
        figures = {"width of E": float(f"{width[0]:.3g}"), "width of a": float(f"{width[1]:.3g}")}
        rows.append({"setting": setting.name, "method": method} | shares | figures)
    return rows


def predictions(setting: Setting, refitted: int, seed: int) -> dict[str, Any]:
    """One run at ten times the largest compute; and the joint region of E and alpha."""
    law, design = setting.true, setting.design
    inside, joint, errors = [], [], []
    for number in range(refitted):
        rng = np.random.default_rng([seed, number])
        found = fit(setting.runs(design.cells, rng))
        (run,) = setting.runs([design.held_out], rng)
        verdict = judge(predict(found, run.parameters, run.tokens), run.loss)
        inside.append(verdict.inside)
        errors.append(abs(verdict.relative_error))
        joint.append(held_excess(found, np.array([law.E]), np.array([law.alpha]))[0] <= 1)
    return {
        "setting": setting.name,
        "inside": round(float(np.mean(inside)), 3),
        "median error": round(float(np.median(errors)), 5),
        "95 % of errors": round(float(np.quantile(errors, 0.95)), 5),
        "joint region": round(float(np.mean(joint)), 3),
    }


def comparisons(spread: float, steeper: bool, pairs: int, seed: int) -> dict[str, Any]:
    """Two architectures on the small design: how often something is said of them."""
    small = Setting("small", spread)
    law, cells = small.true, small.design.cells
    ours = STEEPER if steeper else law
    said = defaultdict(int)
    for number in range(pairs):
        rng = np.random.default_rng([seed, number])
        common = [run.loss / law.loss(run.parameters, run.tokens) for run in small.runs(cells, rng)]
        sides = [
            [
                TrainingRun(run.parameters, run.tokens, run.loss * (1 + float(share - 1)))
                for run, share in zip(simulate(one, cells, spread, rng), common, strict=True)
            ]
            for one in (ours, law)
        ]
        found = compare(fit(sides[0]), fit(sides[1]))
        said["scales better"] += found.scales_better
        said["falls faster"] += found.falls_faster
        said["lower loss"] += found.lower_loss
        difference = found.differences["gamma"].interval
        said["gamma held"] += ours.gamma - law.gamma in difference
    shares = {name: round(count / pairs, 3) for name, count in said.items()}
    return {"laws": "steeper" if steeper else "equal", "spread": round(spread * math.sqrt(2), 4)} | shares


def speed(refitted: int) -> dict[str, float]:
    """CPU seconds for so many refits of 30 cells: from the grid, and from a fit nearby as bootstraps have it."""
    small = Setting("small", 0.005)
    found = fit(small.runs(small.design.cells, np.random.default_rng(0)))
    began = time.process_time()
    refits(found, Resampling.CELLS, refitted)
    near = time.process_time() - began
    rng = np.random.default_rng(1)
    means = found.rows.response * (1 + 0.005 * rng.standard_normal((refitted, len(found.cells))))
    began = time.process_time()
    solve(replace(found.rows, response=means))
    return {"refits": refitted, "from the grid": round(time.process_time() - began, 3), "from nearby": round(near, 3)}


def table(title: str, rows: list[dict[str, Any]]) -> str:
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([title, *text])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--refits", type=int, default=200, help="of each setting (default: 200)")
    parser.add_argument("--resamples", type=int, default=300, help="of each bootstrap (default: 300)")
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="the first so many (default: all)")
    parser.add_argument("--only", choices=METHODS, action="append", help="a method; repeat for several (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    given, began = parser.parse_args(), time.process_time()
    settings, methods = SETTINGS[: given.settings], given.only or list(METHODS)
    found: dict[str, list[dict[str, Any]]] = {
        "coverage": [
            row
            for at, one in enumerate(settings)
            for row in coverage(one, methods, given.refits, given.resamples, given.seed + at)
        ],
        "prediction": [predictions(one, given.refits, given.seed + at) for at, one in enumerate(settings)],
        "comparison": [comparisons(0.0035, steeper, given.refits, given.seed) for steeper in (False, True)],
        "speed": [speed(1000)],
    }
    spent = round(time.process_time() - began, 1)
    if given.json:
        words = {"refits": given.refits, "resamples": given.resamples, "seed": given.seed}
        print(json.dumps({"given": words, **found, "cpu_seconds": spent}))
        return
    print("\n\n".join(table(title, rows) for title, rows in found.items()))
    print(f"\n{spent} CPU seconds; the Monte-Carlo error of a coverage of 90 % is {30 / math.sqrt(given.refits):.1f} %")


if __name__ == "__main__":
    main()
