"""Optimisers as programs: who wins at equal tuning, how it grows with width, how far the rate may be off, runs an hour.

    python benchmarks/optimisers.py --json
    python benchmarks/optimisers.py --part speedup --plot optimisers.svg --json

Every rule gets the same eight learning rates on three seeds of their own, and is then run on fresh seeds at its best.
`paired`: gains on the same fresh seeds, log ratio of losses (digits: accuracy). `by_width`: the same by width, with the
slope over log2 of the width. `swept`: the mean level at every rate, minus log loss or accuracy. Intervals are Student's
at 90 %. `runs_per_hour`: of two cores, from CPU seconds of one thread, sweeps included. `campaigns`: small campaigns of
a baseline with named rules as proposals, and what their gates said: rule, incumbent, verdict, gain.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import altair as alt
import torch
from intervals import interval
from scipy.stats import linregress
from scipy.stats import t as student

from novum import api
from novum.arenas.optimisers import trial as program
from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.named import RULES
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.spec import RATES
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Genome
from novum.core.model.proposal import Proposal
from novum.core.model.study import ResearcherSettings, ScreeningSettings, Study
from novum.core.model.study_view import StudyView
from novum.core.model.trial import Trial, TrialGroup
from novum.report.calibration import write
from novum.report.charts import Chart, inline

T = TypeVar("T")

SWEEP_SEEDS = (900_001, 900_002, 900_003)
FRESH = 1_000
PAIRS = (("momentum", "SGD"), ("signum", "momentum"), ("AdamW", "momentum"), ("Muon", "AdamW"), ("NorMuon", "Muon"))
TASKS = {
    "quadratic": Options(task="quadratic", width=16, steps=200, batch=16),
    "mnist1d": Options(task="mnist1d"),
    "digits": Options(task="digits", steps=200),
    "bytes": Options(task="bytes", width=40, batch=4, steps=120, held_out=256),
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
    means = [_mean(options, one) for one in groups]
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


def _mean(options: Options, scores: Sequence[float | None]) -> float | None:
    known = [_level(options)(one) for one in scores if one is not None]
    return statistics.mean(known) if len(known) == len(scores) else None


def _level(options: Options) -> Callable[[float], float]:
    """What is averaged, larger is better: accuracy, or minus the logarithm of a loss."""
    return float if options.task == "digits" else lambda loss: -math.log(loss)


def _scores(arena: OptimisersArena, genome: Genome, pairs: Sequence[tuple[float, int]]) -> list[float | None]:
    """None for what diverged."""
    out: list[float | None] = []
    for start in range(0, len(pairs), 24):
        trials = tuple(Trial(str(at), seed, {"lr": rate}) for at, (rate, seed) in enumerate(pairs[start : start + 24]))
        group = TrialGroup("measured", Candidate(genome), trials, asdict(arena.options))
        outputs = zip(trials, program.run(group), strict=True)
        out += [arena.score(group, one, said.artefact).value if said.artefact else None for one, said in outputs]
    return out


def gain(one: Measured, other: Measured, options: Options) -> Gain:
    level = _level(options)
    gains = [level(a) - level(b) for a, b in zip(one.scores, other.scores, strict=True)]
    low, high = interval(gains)
    return Gain(one.rule, other.rule, one.task, one.width, statistics.mean(gains), low, high)


def by_width(task: str, widths: Sequence[int], seeds: int) -> tuple[list[Gain], dict[str, dict[str, float]]]:
    """Gains over widths, and the slope of each pair over log2 of the width, all seeds of all widths as points."""
    gains: list[Gain] = []
    points: dict[tuple[str, str], list[tuple[float, float]]] = {
        pair: [] for pair in (("momentum", "SGD"), ("Muon", "AdamW"))
    }
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


@dataclass(frozen=True)
class NamedRules:
    """The Researcher port: the named rules in an order that is written with commas, then nothing."""

    names: str

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:  # noqa: ARG002 nothing is left to chance
        names = self.names.split(",")
        if view.number > len(names):
            return None
        name = names[view.number - 1]
        return Proposal(view.space.validate(RULES[name]), f"{name}, as published", probability=0.5)


def campaign(task: str, baseline: str, names: Sequence[str], budget: Budget) -> dict[str, object]:
    """A campaign whose candidates are named rules, each screened and, by the lab's gate, confirmed or not."""
    researcher = ResearcherSettings("optimisers:NamedRules", {"names": ",".join(names)})
    study = Study(
        name="named-rules",
        arena="optimisers",
        options=asdict(TASKS[task]),
        baseline=RULES[baseline],
        screening=ScreeningSettings(advance_one_in=1, keep_one_in=1, waiting=1),
        researcher=researcher,
    )
    with tempfile.TemporaryDirectory() as folder:
        api.run(study, budget, Path(folder) / "lab", workers=1, force=True)
        state = api.read_lab(Path(folder) / "lab")
        verified = api.verify(Path(folder) / "lab").ok
    told = []
    space = OptimisersArena(TASKS[task]).space
    ids = {space.key(genome): name for name, genome in RULES.items()}
    for one in state.hypotheses.values():
        against = ids.get(one.registered.incumbent, one.registered.incumbent)
        gain = one.finding.effect if one.finding else None
        verdict = str(one.verdict.verdict) if one.verdict else str(one.phase)
        told.append([ids.get(one.candidate.id, one.id), against, verdict, gain])
    return {
        "task": task,
        "baseline": baseline,
        "told": told,
        "cpu_seconds": state.cpu_seconds_in_all,
        "verified": verified,
    }


def say(what: T) -> T:
    """Told while it runs."""
    print(what, file=sys.stderr, flush=True)
    return what


def checks(gains: Sequence[Gain], found: Sequence[Measured]) -> dict[str, bool]:
    """Known answers, as far as something was measured about them."""
    out = {f"{one.task}: {one.better} is better than {one.worse}": one.low > 0 for one in gains}
    out.update({f"{one.task}: 300 runs an hour of {one.rule}": one.runs_per_hour >= 300 for one in found})
    return out


def chart(gains: Sequence[Gain]) -> Chart:
    """Gain in log loss over the width of a network, with its interval."""
    rows = [{**asdict(one), "pair": f"{one.better} over {one.worse}, {one.task}"} for one in gains]
    base = inline(rows).encode(x=alt.X("width:Q", title="width", scale=alt.Scale(type="log", base=2)), color="pair:N")
    line = base.mark_line(point=True).encode(y=alt.Y("mean:Q", title="log ratio of final losses"))
    bars = base.mark_rule().encode(y="low:Q", y2="high:Q")
    shown: Chart = (line + bars).properties(width=300, height=220, background="white")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("all", "rules", "speedup", "campaigns"), default="all")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--only", default=",".join(RULES), help="rules")
    parser.add_argument("--seeds", type=int, default=12, help="fresh ones per rule")
    parser.add_argument("--steps", type=int, help="of every task, instead of its own")
    parser.add_argument("--widths", default="8,16,32,64")
    parser.add_argument("--campaign", type=float, default=90.0, help="CPU seconds of each campaign")
    parser.add_argument("--plot", type=Path, help="draw the gains by width to this .svg or .png")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.steps:
        TASKS.update({name: replace(one, steps=args.steps) for name, one in TASKS.items()})
    began = time.process_time()
    found, gains = rules(args) if args.part in ("all", "rules") else ([], [])
    widths: list[Gain] = []
    slopes: dict[str, dict[str, float]] = {}
    if args.part in ("all", "speedup"):
        for task in ("quadratic", "mnist1d"):
            more, slope = by_width(task, [int(one) for one in args.widths.split(",")], args.seeds)
            widths, slopes = widths + more, {**slopes, **slope}
    ran = []
    if args.part in ("all", "campaigns"):
        budget = Budget(cpu_seconds=args.campaign)
        ran.append(say(campaign("quadratic", "SGD", ("momentum",), budget)))
        ran.append(say(campaign("quadratic", "AdamW", ("Muon",), budget)))
        ran.append(say(campaign("mnist1d", "AdamW", ("Muon",), budget)))
    held = checks(gains, found)
    told = {
        "rules": [asdict(one) for one in found],
        "paired": [asdict(one) for one in gains],
        "by_width": [asdict(one) for one in widths],
        "slopes": slopes,
        "campaigns": ran,
        "checks": held,
    }
    if args.json:
        print(json.dumps({**told, "cpu_seconds": time.process_time() - began}), flush=True)
    else:
        for words, holds in held.items():
            print(f"{'holds' if holds else 'FAILS':6s} {words}")
    if args.plot:
        write(chart(widths), args.plot)


def rules(args: argparse.Namespace) -> tuple[list[Measured], list[Gain]]:
    """Every rule on every task, and the pairs."""
    found: list[Measured] = []
    gains: list[Gain] = []
    for task in args.tasks.split(","):
        here = {}
        for name in args.only.split(","):
            here[name] = say(measured(name, TASKS[task], args.seeds))
        found += here.values()
        gains += [say(gain(here[a], here[b], TASKS[task])) for a, b in PAIRS if a in here and b in here]
    return found, gains


if __name__ == "__main__":
    main()
