"""IsoFLOP designs: which runs a budget of compute pays for, with one larger run held out to test the law.

At each of several compute budgets, sizes on a geometric grid around the one that is believed to be best, each repeated
with several seeds. Tokens follow from compute, D = C / (k N), and are rounded down: no cell costs more than planned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from novum.core.model.errors import StudyError
from novum.scaling.law import FLOP_PER_PARAMETER_TOKEN, ScalingLaw


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """Runs of N parameters (with embeddings) on D tokens, so many with different seeds."""

    parameters: int
    tokens: int
    repeats: int
    flop_per_parameter_token: float

    @property
    def compute(self) -> float:
        """FLOP of one run."""
        return self.flop_per_parameter_token * self.parameters * self.tokens


@dataclass(frozen=True, slots=True)
class DesignOptions:
    """What an IsoFLOP design is made of.

    budgets: how many compute budgets, span: the largest over the smallest. sizes: how many at each budget, width: the
    largest over the smallest. repeats: seeds of each cell. held_out: compute of the held-out cell over the largest
    budget, held_out_repeats: its seeds. tokens_per_parameter: D / N believed to be best at any compute, which a law
    given to `plan` overrides. fewest_parameters, fewest_tokens: below these no run is worth anything.
    """

    budgets: int = 5
    span: float = 100.0
    sizes: int = 6
    width: float = 32.0
    repeats: int = 2
    held_out: float = 10.0
    held_out_repeats: int = 1
    tokens_per_parameter: float = 20.0
    fewest_parameters: int = 1000
    fewest_tokens: int = 10_000
    flop_per_parameter_token: float = FLOP_PER_PARAMETER_TOKEN

    def __post_init__(self) -> None:
        for name, least in (("budgets", 2), ("sizes", 3), ("repeats", 1), ("held_out_repeats", 1)):
            if getattr(self, name) < least:
                raise StudyError(f"design: {name} = {getattr(self, name)} is too few; give at least {least}")
        for name in ("span", "width"):
            if not 1 < getattr(self, name) < math.inf:
                raise StudyError(f"design: {name} = {getattr(self, name)}: give the largest over the smallest, above 1")
        if not 4 <= self.held_out <= 10:
            raise StudyError(f"design: held_out = {self.held_out:g}: a test of the law takes 4 to 10 times the compute")
        if (
            min(self.tokens_per_parameter, self.fewest_parameters, self.fewest_tokens, self.flop_per_parameter_token)
            <= 0
        ):
            raise StudyError("design: tokens_per_parameter, fewest_... and flop_per_parameter_token are above zero")

    @property
    def shares(self) -> tuple[float, ...]:
        """The compute budgets over the largest, ascending."""
        return tuple(self.span ** (at / (self.budgets - 1) - 1) for at in range(self.budgets))

    @property
    def cost(self) -> float:
        """The cost of everything over the largest compute budget of a cell."""
        return self.sizes * self.repeats * math.fsum(self.shares) + self.held_out * self.held_out_repeats


@dataclass(frozen=True, slots=True)
class Design:
    """Cells to fit, the cell to predict, and the FLOP that all of their runs cost together."""

    cells: tuple[PlannedCell, ...]
    held_out: PlannedCell
    options: DesignOptions

    @property
    def compute(self) -> float:
        """FLOP of all runs, the held-out ones included."""
        return math.fsum(cell.compute * cell.repeats for cell in (*self.cells, self.held_out))


def plan(budget: float, options: DesignOptions | None = None, guess: ScalingLaw | None = None) -> Design:
    """The largest design that a budget of FLOP pays for; guess: a law believed to hold, for the best sizes.

    Raises StudyError where the smallest runs would be too small, with the budget that would do.
    """
    options = options or DesignOptions()
    if not (math.isfinite(budget) and budget > 0):
        raise StudyError(f"design: a budget of {budget} FLOP: give a finite number above zero")
    best = _best_size(options, guess)
    short = _too_small(budget, options, best)
    if short:
        enough = _enough(budget, options, best)
        raise StudyError(
            f"design: a budget of {budget:.3g} FLOP is too small: {short}; {enough:.3g} FLOP would do, "
            "or fewer budgets, sizes or repeats, or a smaller span, width or held_out"
        )
    largest = budget / options.cost
    cells = [cell for share in options.shares for cell in _budget_cells(largest * share, options, best)]
    above = largest * options.held_out
    held_out = _cell(above, best(above), options.held_out_repeats, options)
    return Design(tuple(cells), held_out, options)


def _best_size(options: DesignOptions, guess: ScalingLaw | None) -> Callable[[float], float]:
    flop = options.flop_per_parameter_token
    if guess is not None:
        return lambda compute: guess.optimum(compute, flop).parameters
    return lambda compute: math.sqrt(compute / (flop * options.tokens_per_parameter))


def _budget_cells(compute: float, options: DesignOptions, best: Callable[[float], float]) -> list[PlannedCell]:
    smallest = best(compute) / math.sqrt(options.width)
    steps = [options.width ** (at / (options.sizes - 1)) for at in range(options.sizes)]
    return [_cell(compute, smallest * step, options.repeats, options) for step in steps]


def _cell(compute: float, size: float, repeats: int, options: DesignOptions) -> PlannedCell:
    parameters = max(1, round(size))
    flop = options.flop_per_parameter_token
    return PlannedCell(parameters, math.floor(compute / (flop * parameters)), repeats, flop)


def _too_small(budget: float, options: DesignOptions, best: Callable[[float], float]) -> str:
    """What is too small about the smallest cells, or nothing."""
    cells = _budget_cells(budget / options.cost * options.shares[0], options, best)
    parameters, tokens = min(cell.parameters for cell in cells), min(cell.tokens for cell in cells)
    if parameters < options.fewest_parameters:
        return (
            f"its smallest model has {parameters:,} parameters, below fewest_parameters = {options.fewest_parameters:,}"
        )
    if tokens < options.fewest_tokens:
        return f"its shortest run has {tokens:,} tokens, below fewest_tokens = {options.fewest_tokens:,}"
    if len({cell.parameters for cell in cells}) < options.sizes:
        return f"its {options.sizes} smallest models are not of {options.sizes} different sizes"
    return ""


def _enough(budget: float, options: DesignOptions, best: Callable[[float], float]) -> float:
    """The least budget that is not too small, rounded up to three digits."""
    low, high = budget, budget * 2
    while _too_small(high, options, best):
        low, high = high, high * 2
    for _ in range(40):
        middle = math.sqrt(low * high)
        if _too_small(middle, options, best):
            low = middle
        else:
            high = middle
    digit = 10 ** (math.floor(math.log10(high)) - 2)
    found = math.ceil(high / digit)
    while _too_small(float(found * digit), options, best):  # sizes are whole numbers, so that more may do less
        found += 1
    return float(found * digit)
