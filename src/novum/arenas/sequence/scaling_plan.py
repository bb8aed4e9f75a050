"""Which networks of a sequence architecture are trained for how long, so that a scaling law can be fitted to them.

An IsoFLOP design (`novum.scaling.design`), moved to sizes that there are: the width of a stack is a multiple of 4, and
a run is a whole number of steps. Compute counts as C = 6 N D, embeddings in N; what the products of a stack take by
`Stack.training_flop` is told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.space import Size, stack_of
from novum.arenas.sequence.spec import RATES
from novum.arenas.sequence.task_list import decoder_slots
from novum.core.model.candidate import Genome, Scalar
from novum.core.model.errors import StudyError
from novum.population.stack import Stack
from novum.scaling.design import DesignOptions, PlannedCell, plan

SWEEP = (*RATES, 0.1, 0.3, 1.0)
"""Learning rates that every cell tries: those of the arena, and higher ones, which the narrowest stacks need."""
FEWEST_STEPS = 50
WIDEST = 2048
EVALUATED = 1 << 15
"""Scored positions, at least, on which the loss of each network is measured."""


@dataclass(frozen=True, slots=True)
class ScaledArchitecture:
    """A genome in normal form, and what it is called."""

    name: str
    genome: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class ScalingCell:
    """One size and one amount of data of one architecture."""

    number: int
    architecture: str
    held_out: bool
    """Whether it is predicted and then run, and no part of the fit."""
    width: int
    parameters: int
    """N, embeddings counted."""
    steps: int
    tokens: int
    """D = steps x batch x length; the schedule of the learning rate ends there."""
    compute: float
    """FLOP of one run as the design counts them, 6 N D."""
    product_flop: float
    """FLOP of the matrix products and triangular solves of one run."""
    sweep_seed: int
    seeds: tuple[int, ...]
    """Of the runs at the rate that the sweep found best."""


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """Everything that will be trained."""

    tasks: str
    entropy: float | None
    """Of the task in nats per scored position, where it is known."""
    architectures: tuple[ScaledArchitecture, ...]
    rates: tuple[float, ...]
    repeats: int
    sequences: int
    """That each loss is measured on."""
    flop: float
    """FLOP of all runs by 6 N D, sweeps included."""
    cells: tuple[ScalingCell, ...]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The design, learning rates of the sweep, and the first seed."""

    design: DesignOptions
    rates: tuple[float, ...] = SWEEP
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.rates)) < 3 or not all(0 < one < math.inf for one in self.rates):
            raise StudyError(f"rates {self.rates}: give at least 3 different learning rates above zero")

    @property
    def runs(self) -> int:
        """Networks trained in each cell."""
        return len(self.rates) + self.design.repeats


def check_options(options: Options) -> None:
    """Whether the loss of these options can follow a scaling law at all. Raises StudyError."""
    if options.metric != "loss":
        raise StudyError(f'options.metric: a scaling law is one of the loss, not of the {options.metric}: set "loss"')
    if len(options.named) != 1:
        raise StudyError(f"options.tasks: {len(options.named)} tasks have a law each: give one task")
    if options.stretch != 1:
        raise StudyError(f"options.stretch: {options.stretch}: the loss is that of the length trained on: set 1")


def sized(options: Options, genome: Genome, width: int) -> Stack:
    """The stack of a genome at a width."""
    task = options.named[0].task
    return stack_of(genome, options, Size(width), task.vocabulary, task.outputs, decoder_slots(task))


def make_plan(
    options: Options, architectures: Sequence[ScaledArchitecture], flop: float, chosen: PlanOptions
) -> ScalingPlan:
    """The largest plan that a budget of FLOP (6 N D, sweeps included) pays for; equal shares for all architectures.

    Raises StudyError where the budget is too small, with one that would do.
    """
    check_options(options)
    task = options.named[0].task
    step_tokens = options.batch * task.length
    smallest = max(sized(options, one.genome, 4).parameters for one in architectures)
    # To the design, the sweep and the other architecture are so many more runs of a cell.
    runs = len(architectures) * chosen.runs
    design = replace(
        chosen.design,
        repeats=runs,
        held_out_repeats=runs,
        fewest_parameters=smallest,
        fewest_tokens=FEWEST_STEPS * step_tokens,
    )
    planned = plan(flop, design)
    cells: list[ScalingCell] = []
    for one in architectures:
        cells += _cells(options, one, (*planned.cells, planned.held_out), chosen, len(cells))
    total = math.fsum(cell.compute for cell in cells) * chosen.runs
    sequences = -(-EVALUATED // task.queries)
    return ScalingPlan(
        options.tasks,
        task.entropy,
        tuple(architectures),
        chosen.rates,
        chosen.design.repeats,
        sequences,
        total,
        tuple(cells),
    )


def _cells(
    options: Options,
    architecture: ScaledArchitecture,
    planned: Sequence[PlannedCell],
    chosen: PlanOptions,
    first: int,
) -> list[ScalingCell]:
    """The planned cells at real sizes; where two come to the same size, one of them.

    Equal places have equal seeds in all architectures. Raises StudyError.
    """
    task, repeats = options.named[0].task, chosen.design.repeats
    found: list[ScalingCell] = []
    for place, cell in enumerate(planned):
        width, stack = nearest(options, architecture.genome, cell.parameters)
        step_flop = 6.0 * stack.parameters * options.batch * task.length
        steps = max(1, math.floor(cell.compute / step_flop))
        if any((one.width, one.steps) == (width, steps) for one in found):
            continue
        seed = chosen.seed + place * (1 + repeats)
        found.append(
            ScalingCell(
                number=first + len(found),
                architecture=architecture.name,
                held_out=place == len(planned) - 1,
                width=width,
                parameters=stack.parameters,
                steps=steps,
                tokens=steps * options.batch * task.length,
                compute=step_flop * steps,
                product_flop=float(steps * stack.training_flop(options.batch, task.length, task.queries)),
                sweep_seed=seed,
                seeds=tuple(range(seed + 1, seed + 1 + repeats)),
            )
        )
    if len({one.width for one in found}) < 3 or not found[-1].held_out:
        raise StudyError(
            f"{architecture.name}: widths {sorted({one.width for one in found})} are all that is near the planned "
            "sizes; give a larger budget or --width"
        )
    return found


def nearest(options: Options, genome: Genome, parameters: float) -> tuple[int, Stack]:
    """The width, a multiple of 4, whose stack is nearest to so many parameters by their ratio."""
    genes, low, high = tuple(genome.items()), 1, WIDEST // 4
    while low < high:  # the least width with at least as many
        middle = (low + high) // 2
        if _parameters(options, genes, 4 * middle) < parameters:
            low = middle + 1
        else:
            high = middle
    near = [width for width in (4 * (low - 1), 4 * low) if width >= 4]
    width = min(near, key=lambda one: abs(math.log(_parameters(options, genes, one) / parameters)))
    return width, sized(options, genome, width)


@lru_cache(maxsize=4096)
def _parameters(options: Options, genes: tuple[tuple[str, Scalar], ...], width: int) -> int:
    return sized(options, dict(genes), width).parameters
