"""The arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict, replace

from novum.arenas.adaptation.named import METHODS
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import level_name
from novum.arenas.adaptation.space import space
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options

RATES = ((0.003, 0.1), (0.003, 0.5), (0.01, 0.1), (0.01, 0.5))
"""Of what is learned beforehand, and within a task."""
BASELINE: Genome = METHODS["fine-tuning"]


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    classes = options.classes
    asked = options.exam * options.queries
    resolution = 1.0 / asked if classes else 0.005
    word = "accuracy on real tables" if classes else "risk over the Bayes risk"
    return ArenaSpec(
        name="adaptation",
        question="What adapts to a new task from the fewest examples?",
        metric=f"{word}, mean after {options.shots} examples",
        higher_is_better=classes,
        resolution=resolution,
        program="novum.arenas.adaptation.trial",
        group_size=8,
        tuning=tuple({"lr": outer, "inner": inner} for outer, inner in RATES),
        baseline=space().validate(BASELINE),
        requires=("torch", "sklearn") if classes else ("torch",),
        floor=0.5 if classes else None,
        ceiling=1.0,
        bounds=(0.0, 1.0) if classes else None,
        log=not classes,
        metrics=tuple(Metric(level_name(options, k), classes, resolution, log=not classes) for k in options.levels),
        transfers=transfers(options),
        controls=Controls(
            known=METHODS["ridge" if options.task == "linear" else "ridge on learned features"],
            null_options={"shuffled": True},
        ),
        depends=("novum.population.streams",),
        summary="Small networks that learn beforehand how to learn a task from a few examples: gradient steps, the "
        "delta rule, ridge regression, attention; on noisy linear maps, sinusoids and Gaussian processes held against "
        "the Bayes predictor, and on real tables after learning on tables that are made up.",
    )


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Where a finding can be tried again: other tasks, more time beforehand; those that the options allow."""
    other = "process" if options.task == "sinusoid" else "sinusoid"
    found = [
        Transfer(f"on {other} tasks", {"task": other}),
        Transfer("twice the steps beforehand", {"steps": 2 * options.steps}),
    ]
    if options.task == "linear":
        found.append(Transfer("twice the features", {"features": 2 * options.features}))
    if options.task != "tables":
        fewer = replace(options, shots=", ".join(str(k) for k in options.levels if k <= 20) or "2")
        found.append(Transfer("on real tables", {"task": "tables", "shots": fewer.shots}))
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the adaptation arena")
    except StudyError:
        return False
    return True
