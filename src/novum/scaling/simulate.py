"""Runs that a law would give: what a design can show is best asked before it is paid for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from novum.core.model.errors import StudyError
from novum.scaling.design import PlannedCell
from novum.scaling.law import ScalingLaw
from novum.scaling.training_runs import TrainingRun


def simulate(
    law: ScalingLaw,
    cells: Sequence[PlannedCell],
    spread: float,
    rng: np.random.Generator,
    *,
    shared: float = 0.0,
    decline: float = 0.0,
) -> list[TrainingRun]:
    """All runs of the cells, with Gaussian noise of sd `spread` as a share of the loss.

    shared: the part of the variance, from 0 to 1, that all runs of a cell have in common, as from a learning rate that
    suits its size less. decline: the sd falls as compute to this power, and is `spread` at the largest.
    """
    if not (spread >= 0 and 0 <= shared <= 1):
        raise StudyError(f"spread = {spread}, shared = {shared}: give a spread from 0 on and a share from 0 to 1")
    largest = max(cell.compute for cell in cells)
    runs = []
    for cell in cells:
        sd = spread * (cell.compute / largest) ** -decline
        noise = shared**0.5 * rng.standard_normal() + (1 - shared) ** 0.5 * rng.standard_normal(cell.repeats)
        losses = law.loss(cell.parameters, cell.tokens) * (1 + sd * noise)
        runs += [TrainingRun(cell.parameters, cell.tokens, loss) for loss in losses.tolist()]
    return runs
