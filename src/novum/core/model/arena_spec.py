"""An arena in words and constants: its metric, tuning, baseline, controls, and where a finding can be tried again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from novum.core.model.candidate import Genome, Setting
from novum.core.model.metric import RESOURCES, Metric, Score, gain
from novum.core.model.trial import OutcomeKind


@dataclass(frozen=True, slots=True)
class Transfer:
    """Where else a finding may hold: held-out tasks, a larger scale. `options` are changes to the study's own."""

    name: str
    options: Setting


@dataclass(frozen=True, slots=True)
class Controls:
    """Experiments whose outcome an arena knows beforehand; genomes are changes to the baseline."""

    known: Genome = field(default_factory=dict)
    """A change that improves on the arena's own baseline."""
    null: Genome = field(default_factory=dict)
    """A change that does nothing."""
    null_options: Setting = field(default_factory=dict)
    """Options under which nothing can be better than anything else, for example shuffled labels."""


@dataclass(frozen=True, slots=True)
class ArenaSpec:
    """An arena in words and constants."""

    name: str
    question: str
    metric: str
    """What a score is."""
    higher_is_better: bool
    resolution: float
    """The smallest difference in the metric that means anything; also the floor of the noise scale."""
    program: str
    """The module whose `run(group)` executes a trial group in a worker."""
    group_size: int
    """How many trials are trained together."""
    tuning: tuple[Setting, ...]
    """The nuisance settings that every candidate, baselines included, is swept over."""
    baseline: Genome
    requires: tuple[str, ...] = ()
    """Importable modules that a worker needs."""
    summary: str = ""
    floor: float | None = None
    """The metric of a guess, where it is known: the worse end, whether higher is better or lower."""
    ceiling: float | None = None
    """The metric of perfection, where it is known: the better end."""
    controls: Controls = field(default_factory=Controls)
    bounds: tuple[float, float] | None = None
    """The lowest and the highest score that there can be, where that is known: what a claim of the mean rests on."""
    log: bool = False
    """Scores are positive and compared by their ratio (losses, times); effects, sigma, delta and resolution are then in
    natural-log units."""
    metrics: tuple[Metric, ...] = ()
    """What else a score reports."""
    transfers: tuple[Transfer, ...] = ()
    """Where a finding can be tried again."""
    statements: tuple[str, ...] = ()
    """Genes that are programs, statements separated by semicolons: each is a part of a finding by itself."""
    fixed_data: bool = False
    """Scores come from fixed examples in parts (see Role) instead of examples drawn anew for each seed."""
    shifted_data: bool = False
    """Gate and final data are drawn from another distribution than search data, such as larger problems: the score of
    a search run says nothing about that of a gate run."""
    trust: str = ""
    """Where scores come from, when it is not the arena's own scorer in the lab."""
    gpus: int = 0
    """How many GPUs a trial group holds while it runs."""
    depends: tuple[str, ...] = ()
    """Modules and packages outside the program's own package whose code its results depend on; a campaign is held to
    them as well."""


def room(spec: ArenaSpec, score: float) -> float | None:
    """The gain from a score to perfection, in units of gains; None where the arena declares none.

    Infinite where perfection is a loss of nothing and losses are compared by their ratio.
    """
    if spec.ceiling is None:
        return None
    if spec.log and spec.ceiling <= 0:
        return math.inf
    return gain(spec.ceiling, score, higher_is_better=spec.higher_is_better, log=spec.log)


def one_distribution(spec: ArenaSpec) -> bool:
    """Whether scores of search runs and of gate runs may be compared, since they differ by their seeds only."""
    return not (spec.fixed_data or spec.shifted_data)


def unfit(spec: ArenaSpec, score: Score) -> tuple[OutcomeKind, str] | None:
    """Why a score cannot stand as a number, with the outcome that it is instead; None when it can."""
    if not math.isfinite(score.value):
        return OutcomeKind.DIVERGED, f"the score is {score.value}"
    if spec.bounds and not spec.bounds[0] <= score.value <= spec.bounds[1]:
        low, high = spec.bounds
        return OutcomeKind.INVALID, f"the score is {score.value}, outside the declared bounds {low:g} and {high:g}"
    if spec.log and score.value <= 0:
        return OutcomeKind.INVALID, f"the score is {score.value}, and scores that are compared by ratio are positive"
    for metric in spec.metrics:
        value = score.others.get(metric.name)
        if value is None or not math.isfinite(value) or (metric.log and value <= 0):
            return OutcomeKind.INVALID, f"the scorer gave {value} as {metric.name!r}"
    return None


def metric_of(spec: ArenaSpec, name: str) -> Metric | None:
    """A further metric of the spec, or a resource; None for any other name."""
    return next((one for one in spec.metrics if one.name == name), RESOURCES.get(name))
