"""Approach 2 of Hoffmann et al. (arXiv 2203.15556, section 3.2): a parabola for each compute budget.

It is here because it is widely used and easily drawn, and to be compared with. A parabola in log N is not the shape of
the law: with alpha other than beta, and the more with wide or uncentred sizes, its minimum is off on data without any
noise, and so is the exponent (arXiv 2603.22339). `fit.fit` has no such bias.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from novum.core.model.errors import StudyError
from novum.scaling.law import FLOP_PER_PARAMETER_TOKEN
from novum.scaling.training_runs import Cell, TrainingRun, cells_of

_SAME = 0.05
"""Cells whose compute differs by less than 5 % from one to the next are of one budget."""


@dataclass(frozen=True, slots=True)
class Parabola:
    """Of one budget: FLOP, and the size and the loss at the minimum of the parabola of the loss in log N."""

    compute: float
    parameters: float
    loss: float


@dataclass(frozen=True, slots=True)
class ParabolaFit:
    """N_opt = coefficient x C^a through the minima of the parabolas."""

    a: float
    coefficient: float
    parabolas: tuple[Parabola, ...]

    def parameters(self, compute: float) -> float:
        """The size that is said to be best for a budget of FLOP."""
        return self.coefficient * float(compute**self.a)


def fit_parabolas(
    runs: Sequence[TrainingRun], flop_per_parameter_token: float = FLOP_PER_PARAMETER_TOKEN
) -> ParabolaFit:
    """The parabolas of all budgets and the line through their minima.

    Raises StudyError with fewer than two budgets, with fewer than three sizes in one, or where a parabola has no
    minimum.
    """
    groups = _budgets(cells_of(runs), flop_per_parameter_token)
    if len(groups) < 2:
        raise StudyError(f"{len(groups)} compute budget has no exponent: give runs at two or more")
    found = tuple(_parabola(group, flop_per_parameter_token) for group in groups)
    slope, offset = np.polyfit(np.log([one.compute for one in found]), np.log([one.parameters for one in found]), 1)
    return ParabolaFit(float(slope), math.exp(offset), found)


def _budgets(cells: Sequence[Cell], flop: float) -> list[list[Cell]]:
    ordered = sorted(cells, key=lambda cell: cell.place[0] * cell.place[1])
    groups: list[list[Cell]] = []
    last = 0.0
    for cell in ordered:
        compute = flop * cell.place[0] * cell.place[1]
        if groups and compute < last * (1 + _SAME):
            groups[-1].append(cell)
        else:
            groups.append([cell])
        last = compute
    return groups


def _parabola(group: Sequence[Cell], flop: float) -> Parabola:
    compute = flop * math.exp(sum(math.log(cell.place[0] * cell.place[1]) for cell in group) / len(group))
    sizes = np.log([cell.place[0] for cell in group])
    if len(group) < 3:
        raise StudyError(f"{len(group)} sizes at {compute:.3g} FLOP: a parabola needs three or more")
    weights = np.sqrt([float(cell.repeats) for cell in group])
    middle = sizes.mean()
    bend, slope, level = np.polyfit(sizes - middle, [cell.mean for cell in group], 2, w=weights)
    if not bend > 0:
        raise StudyError(f"the losses at {compute:.3g} FLOP have no minimum in N: widen the sizes, or repeat the runs")
    at = -slope / (2 * bend)
    return Parabola(compute, math.exp(middle + at), float(level + slope * at / 2))
