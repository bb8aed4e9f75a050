"""Stands in for the training of cells: losses that a scaling law gives, with noise, in no time.

`python simulated_cells.py DIRECTORY SECONDS` carries a study on as `novum scale` does, each cell taking so long.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from novum.arenas.sequence.fairness import baseline
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.scaling_cell import CellRequest, CellResult, RunResult
from novum.arenas.sequence.scaling_plan import PlanOptions, ScaledArchitecture, ScalingPlan, make_plan, sized
from novum.arenas.sequence.scaling_study import Recorded, begin, carry_on
from novum.arenas.sequence.space import space
from novum.scaling.chained_record import opened
from novum.scaling.design import DesignOptions
from novum.scaling.law import ScalingLaw

OPTIONS = Options(tasks="random_walk", metric="loss", batch=4)
LAW = ScalingLaw(E=OPTIONS.named[0].task.entropy or 0.0, A=300.0, B=400.0, alpha=0.75, beta=0.6)
CHOSEN = PlanOptions(DesignOptions(budgets=4, sizes=4, span=20.0, width=8.0, held_out=5.0), (0.01, 0.1, 1.0))
FLOP = 4e13


def architecture(name: str = "baseline", **genes: str | int) -> ScaledArchitecture:
    """The baseline with changed genes."""
    return ScaledArchitecture(name, dict(space(OPTIONS).validate({**baseline(OPTIONS), **genes})))


def simulated(
    laws: dict[str, ScalingLaw] | None = None, spread: float = 0.003, best: float = 0.1
) -> Callable[[CellRequest], CellResult]:
    """Trains nothing: by the mixer of the first layer, losses of a law; other rates are worse by a tenth per decade."""

    def train(asked: CellRequest) -> CellResult:
        law = (laws or {}).get(str(asked.genome["layer_1"]), LAW)
        size = sized(OPTIONS, asked.genome, asked.width).parameters
        loss = float(law.loss(size, asked.steps * OPTIONS.batch * OPTIONS.named[0].task.length))

        def run(seed: int, rate: float) -> RunResult:
            noise = spread * np.random.default_rng(seed).standard_normal()
            return RunResult(seed, rate, loss * (1 + noise) * (1 + 0.1 * abs(math.log10(rate / best))))

        sweep = tuple(run(asked.sweep_seed, rate) for rate in asked.rates)
        rate = min(sweep, key=lambda one: one.loss or math.inf).rate
        return CellResult(rate, sweep, tuple(run(seed, rate) for seed in asked.seeds), 0.0, "none")

    return train


def carried_on(
    directory: Path,
    train: Callable[[CellRequest], CellResult],
    architectures: tuple[ScaledArchitecture, ...] = (),
    workers: int = 1,
) -> Recorded:
    """The study in a directory, to its end."""

    def make() -> ScalingPlan:
        return make_plan(OPTIONS, architectures or (architecture(),), FLOP, CHOSEN)

    with opened(directory / "scale.jsonl") as record:
        found = begin(record, {"flop": FLOP}, asdict(OPTIONS), make)
        carry_on(record, found, train, workers, lambda *_: None)
    return found


def _slow(seconds: float) -> Callable[[CellRequest], CellResult]:
    quick = simulated()

    def train(asked: CellRequest) -> CellResult:
        time.sleep(seconds)
        return quick(asked)

    return train


if __name__ == "__main__":
    carried_on(Path(sys.argv[1]), _slow(float(sys.argv[2])), workers=2)
