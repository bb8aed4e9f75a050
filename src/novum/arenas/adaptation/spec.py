"""The arena in words and constants."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

from novum.arenas.adaptation.named import METHODS
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.score import SAVED, level_name, saves
from novum.arenas.adaptation.space import space
from novum.arenas.adaptation.texts import SYMBOLS
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options

RATES = ((0.003, 0.1), (0.003, 0.5), (0.01, 0.1), (0.01, 0.5))
"""Of what is learned beforehand, and within a task."""
BASELINE: Genome = METHODS["fine-tuning"]
KNOWN = {"linear": "ridge", "text": "ANIL"}


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    classes, text = options.classes, options.text
    asked = options.exam * options.queries
    resolution = 1.0 / asked if classes else 0.005
    word = "accuracy on real tables" if classes else "bits a character" if text else "risk over the Bayes risk"
    return ArenaSpec(
        name="adaptation",
        question="What adapts to a new task from the fewest examples?",
        metric=f"{word}, mean after {options.shots} examples",
        higher_is_better=classes,
        resolution=resolution,
        program="novum.arenas.adaptation.trial",
        group_size=8,
        tuning=tuple({"lr": outer, "inner": inner} for outer, inner in RATES),
        baseline=space(options).validate(BASELINE),
        requires=("torch", "sklearn") if classes else ("torch",),
        floor=0.5 if classes else math.log2(SYMBOLS) if text else None,
        ceiling=None if text else 1.0,
        bounds=(0.0, 1.0) if classes else None,
        log=not classes,
        shifted_data=True,
        metrics=tuple(_metrics(options, resolution)),
        transfers=transfers(options),
        controls=Controls(
            known=METHODS[KNOWN.get(options.task, "ridge on learned features")],
            null_options={"shuffled": True},
        ),
        depends=(
            "novum.arenas.digits.data",
            "novum.arenas.digits.packaged_tables",
            "novum.arenas.sequence.tasks",
            "novum.population.recipe",
            "novum.population.streams",
        ),
        summary="Small networks that learn beforehand how to learn a task from a few examples: gradient steps, the "
        "delta rule, ridge regression, attention; on noisy linear maps, sinusoids and Gaussian processes held against "
        "the Bayes predictor, on real tables after learning on tables that are made up, and on prose after learning on "
        "code.",
    )


def _metrics(options: Options, resolution: float) -> list[Metric]:
    """The score after each number of examples, and what a task's numbers are worth where that can be told."""
    better = options.classes
    found = [Metric(level_name(options, k), better, resolution, log=not better) for k in options.levels]
    return [*found, Metric(SAVED, True, 0.01)] if saves(options) else found


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Where a finding can be tried again: other tasks, more time beforehand; those that the options allow."""
    found = [Transfer("twice the steps beforehand", {"steps": 2 * options.steps})]
    if options.bayes:
        other = "process" if options.task == "sinusoid" else "sinusoid"
        found.append(Transfer(f"on {other} tasks", {"task": other}))
    if options.task == "linear":
        found.append(Transfer("twice the features", {"features": 2 * options.features}))
    if options.bayes:
        fewer = replace(options, shots=", ".join(str(k) for k in options.levels if 0 < k <= 20) or "2")
        found.append(Transfer("on real tables", {"task": "tables", "shots": fewer.shots}))
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the adaptation arena")
    except StudyError:
        return False
    return True
