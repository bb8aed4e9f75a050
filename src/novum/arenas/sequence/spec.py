"""The sequence arena in words and constants."""

from __future__ import annotations

from dataclasses import asdict

from novum.arenas.sequence.fairness import baseline
from novum.arenas.sequence.options import Options
from novum.arenas.sequence.task_list import scored_on
from novum.core.model.arena_spec import ArenaSpec, Controls, Transfer
from novum.core.model.candidate import Setting
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.options import parse_options
from novum.core.model.trial import Role

RATES = (0.003, 0.01, 0.03)
DECAYS = (0.01, 0.1)


def spec(options: Options) -> ArenaSpec:
    """The spec under a study's options."""
    accuracy = options.metric == "accuracy"
    word = "accuracy" if accuracy else "loss in nats per token"
    tasks = [scored_on(one, Role.SEARCH, options.stretch) for one in options.named]
    counted = options.held_out * sum(task.queries for task in tasks)
    resolution = 1.0 / counted if accuracy else 1e-3
    chance = sum(task.chance for task in tasks) / len(tasks)
    entropies = [task.entropy for task in tasks if task.entropy is not None]
    best = sum(entropies) / len(entropies) if len(entropies) == len(tasks) else None
    return ArenaSpec(
        name="sequence",
        question="Which sequence architecture recalls, tracks state or compresses more than another of equal cost?",
        metric=f"{word} on held-out sequences" + (f", mean over {len(tasks)} tasks" if len(tasks) > 1 else ""),
        higher_is_better=accuracy,
        resolution=resolution,
        program="novum.arenas.sequence.trial",
        group_size=8,
        tuning=tuple(_settings(options)),
        baseline=baseline(options),
        requires=("torch",),
        floor=chance if accuracy else None,
        ceiling=1.0 if accuracy else best,
        bounds=(0.0, 1.0) if accuracy else None,
        shifted_data=True,
        transfers=transfers(options),
        metrics=tuple(_metrics(options)),
        controls=Controls(known=_known(options), null_options={"shuffled": True}),
        depends=("novum.population", "novum.arenas.sequence.tasks"),
        summary="Small networks of token mixers are trained on generated sequences: recall, state tracking, copying, "
        "sources of known entropy, bytes of the standard library. Candidates are stacks of mixers: published ones by "
        "name, or one put together from parts.",
    )


def metric_name(options: Options, task: str) -> str:
    """What the score on a single task is called."""
    return f"{options.metric} on {task}"


def _metrics(options: Options) -> list[Metric]:
    """The score on each task, where there are several."""
    if len(options.named) == 1:
        return []
    up = options.metric == "accuracy"
    return [Metric(metric_name(options, one.name), higher_is_better=up, resolution=1e-3) for one in options.named]


def _settings(options: Options) -> list[Setting]:
    if options.sweep == "rate":
        return [{"lr": rate} for rate in RATES]
    return [{"lr": rate, "decay": decay} for rate in RATES for decay in DECAYS]


def _known(options: Options) -> Setting:
    """A change to the baseline that is known to help on the first task.

    The delta rule where keys are recalled (arXiv 2406.06484), after a convolution where values follow their keys (arXiv
    2312.04927), its wide range where states flip (2411.12537).
    """
    first = options.named[0].name
    if first in ("parity", "modular_arithmetic", "permutation_product"):
        return {"write": "delta", "beta": 2}
    if first == "mqar":
        return {"taps": 4, "write": "delta"}
    return {"write": "delta"} if first in ("overwrite", "stacks", "palindrome") else {}


def transfers(options: Options) -> tuple[Transfer, ...]:
    """Where a finding can be tried again: longer sequences, a wider stream, a longer training; those that fit."""
    found = [
        Transfer("sequences twice as long as those trained on", {"stretch": 2 * options.stretch}),
        Transfer("twice as wide", {"width": 2 * options.width}),
        Transfer("trained twice as long", {"steps": 2 * options.steps}),
    ]
    return tuple(one for one in found if _fits(options, one))


def _fits(options: Options, transfer: Transfer) -> bool:
    try:
        parse_options(Options, {**asdict(options), **transfer.options}, "the sequence arena")
    except StudyError:
        return False
    return True
