"""Optimisers as programs: who wins at equal tuning, how it grows with width, how far the rate may be off, runs an hour.

    python benchmarks/optimisers.py --json
    python benchmarks/optimisers.py --part speedup --plot optimisers.svg --json

Every rule gets the same eight learning rates on three seeds of their own, and is then run on fresh seeds at its best.
`paired`: gains on the same fresh seeds, log ratio of losses (digits: accuracy). `speedup`: steps that momentum needs for
the loss that a rule reaches in half of them would be one number; here the gain is the log ratio of final losses by
width, with the slope over log2 of the width. `sensitivity`: the mean loss at every rate of the sweep. Intervals are
Student's at 90 %. `runs_per_hour`: of two cores, from CPU seconds of one thread, sweeps included.
`campaigns`: small campaigns from a baseline with the named rules as proposals, and what their gates said.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from scipy.stats import linregress
from scipy.stats import t as student

from novum.arenas.optimisers import trial as program
from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.named import RULES
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.spec import RATES
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Trial, TrialGroup

SWEEP_SEEDS = (900_001, 900_002, 900_003)
FRESH = 1_000
PAIRS = (("momentum", "SGD"), ("signum", "momentum"), ("AdamW", "momentum"), ("Muon", "AdamW"), ("NorMuon", "Muon"))
TASKS = {
    "quadratic": Options(task="quadratic", width=16, steps=200, batch=16),
    "mnist1d": Options(task="mnist1d"),
    "digits": Options(task="digits", steps=200),
    "bytes": Options(task="bytes", width=48, batch=8, steps=200, held_out=256),
}


@dataclass(frozen=True)
class Measured:
    """A rule on a task. scores: on fresh seeds at the best rate; swept: mean score by rate, None where one diverged."""

    rule: str
    task: str
    width: int
    rate: float
    scores: list[float]
    swept: dict[str, float | None]
    edge: bool
    """Whether the best rate is the lowest or the highest of the sweep."""
    runs_per_hour: float
    flop: float
    state_floats: int


@dataclass(frozen=True)
class Gain:
    """Of one rule over another on the same seeds; low and high are the 90 % interval."""

    better: str
    worse: str
    task: str
    width: int
    mean: float
    low: float
    high: float


def measured(name: str, options: Options, seeds: int) -> Measured:
    arena = OptimisersArena(options)
    genome = arena.space.validate(RULES[name])
    began = time.process_time()
    pairs = [(rate, seed) for rate in RATES for seed in SWEEP_SEEDS]
    found, many = _scores(arena, genome, pairs), len(SWEEP_SEEDS)
    groups = [found[many * at : many * (at + 1)] for at in range(len(RATES))]
    means = [None if None in one else statistics.mean(map(_level(options), one)) for one in groups]
    rate = max((mean, rate) for mean, rate in zip(means, RATES, strict=True) if mean is not None)[1]
    fresh = _scores(arena, genome, [(rate, seed) for seed in range(FRESH, FRESH + seeds)])
    seconds = (time.process_time() - began) / (len(pairs) + seeds)
    cost = arena.cost(genome)
    scores = [math.nan if one is None else one for one in fresh]
    swept = {f"{one:g}": mean for one, mean in zip(RATES, means, strict=True)}
    edge = rate in (RATES[0], RATES[-1])
    return Measured(
        name, options.task, options.width, rate, scores, swept, edge, 7200 / seconds, cost.flop, cost.state_floats
    )


def _level(options: Options):  # type: ignore[no-untyped-def]
    """What is averaged, larger is better: accuracy, or minus the logarithm of a loss."""
    return float if options.task == "digits" else lambda loss: -math.log(loss)


def _scores(arena: OptimisersArena, genome: Mapping[str, object], pairs: Sequence[tuple[float, int]]) -> list[float | None]:
    """None for what diverged."""
    out: list[float | None] = []
    for start in range(0, len(pairs), 24):
        trials = tuple(
            Trial(str(at), seed, {"lr": rate}) for at, (rate, seed) in enumerate(pairs[start : start + 24])
        )
        group = TrialGroup("measured", Candidate(genome), trials, asdict(arena.options))  # type: ignore[arg-type]
        outputs = zip(trials, program.run(group), strict=True)
        out += [arena.score(group, one, said.artefact).value if said.artefact else None for one, said in outputs]
    return out


def gain(one: Measured, other: Measured, options: Options) -> Gain:
    level = _level(options)
    gains = [level(a) - level(b) for a, b in zip(one.scores, other.scores, strict=True)]
    low, high = interval(gains)
    return Gain(one.rule, other.rule, one.task, one.width, statistics.mean(gains), low, high)


def interval(values: Sequence[float], level: float = 0.90) -> tuple[float, float]:
    """Student's interval of the mean."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return mean, mean
    half = float(student.ppf(0.5 + level / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


def by_width(task: str, widths: Sequence[int], seeds: int) -> tuple[list[Gain], dict[str, dict[str, float]]]:
    """Gains over widths, and the slope of each pair over log2 of the width, all seeds of all widths as points."""
    gains, points = [], {pair: [] for pair in (("momentum", "SGD"), ("Muon", "AdamW"))}
    for width in widths:
        options = replace(TASKS[task], width=width)
        found = {name: measured(name, options, seeds) for name in ("SGD", "momentum", "AdamW", "Muon")}
        for better, worse in points:
            one, other = found[better], found[worse]
            gains.append(gain(one, other, options))
            say(gains[-1])
            level = _level(options)
            each = [level(a) - level(b) for a, b in zip(one.scores, other.scores, strict=True)]
            points[better, worse] += [(math.log2(width), value) for value in each]
    slopes = {}
    for (better, worse), rows in points.items():
        if len(widths) < 2 or len(rows) < 3:
            continue
        fit = linregress(*zip(*rows, strict=True))
        half = float(student.ppf(0.95, len(rows) - 2)) * fit.stderr
        slopes[f"{better} over {worse}, {task}"] = {
            "slope": fit.slope, "low": fit.slope - half, "high": fit.slope + half
        }  # fmt: skip
    return gains, slopes


def campaign(task: str, baseline: str, proposals: Sequence[str], trials: int) -> dict[str, object]:
    """A campaign from a baseline whose candidates are named rules, by the lab's own gate; what was supported."""
    from novum.core.model.budget import Budget
    from novum.core.model.study import ResearcherSettings, Study
    from novum.core.state.hypothesis import Phase  # noqa: F401  states are read below
    from novum.lab.wiring import in_memory
    from novum.researchers.scripted import ScriptedResearcher

    options = TASKS[task]
    study = Study(name="named", arena="optimisers", options=asdict(options), baseline=RULES[baseline],
                  executor="inline", researcher=ResearcherSettings("random"))  # fmt: skip
    script = ScriptedResearcher(tuple(RULES[name] for name in proposals))
    lab = in_memory(study, Budget(trials=trials), researcher=script)
    lab.run()
    told = {}
    for name, one in zip(proposals, lab.state.hypotheses.values(), strict=False):
        told[name] = str(one.phase.value)
    return {"task": task, "baseline": baseline, "verdicts": told}


def say(what: object) -> None:
    print(what, file=sys.stderr, flush=True)
