"""What a fit learns from: finished training runs, and the cells that runs of one size and amount of data form."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.model.errors import StudyError


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run to the end of its schedule: parameters (with embeddings), training tokens, held-out loss.

    sd: standard deviation of the loss between seeds, where it is known; only ratios between runs count.
    """

    parameters: float
    tokens: float
    loss: float
    sd: float | None = None

    def __post_init__(self) -> None:
        given = (self.parameters, self.tokens, self.loss, *([] if self.sd is None else [self.sd]))
        if not all(math.isfinite(one) and one > 0 for one in given):
            raise StudyError(f"{self}: parameters, tokens, loss and sd have to be finite and above zero")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, a loss or a share of errors, at one x: state, context, FLOP. sd as in TrainingRun."""

    x: float
    value: float
    sd: float | None = None

    def __post_init__(self) -> None:
        given = (self.x, *([] if self.sd is None else [self.sd]))
        if not all(math.isfinite(one) and one > 0 for one in given) or not (0 <= self.value < math.inf):
            raise StudyError(f"{self}: x and sd have to be finite and above zero, the value finite and not negative")


@dataclass(frozen=True, slots=True)
class Cell:
    """All runs at one place of the design: its coordinates (N, D) or (x,), their values, the sd that was given."""

    place: tuple[float, ...]
    values: tuple[float, ...]
    sd: float | None

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return math.fsum(self.values) / len(self.values)

    @property
    def repeats(self) -> int:
        """How many runs there are."""
        return len(self.values)


def cells_of(runs: Sequence[TrainingRun] | Sequence[Reading]) -> tuple[Cell, ...]:
    """The cells in the order of their coordinates.

    Raises StudyError where some runs have an sd and others have none, or where it differs within a cell.
    """
    values: dict[tuple[float, ...], list[float]] = defaultdict(list)
    sds: dict[tuple[float, ...], set[float | None]] = defaultdict(set)
    for run in runs:
        place: tuple[float, ...]
        if isinstance(run, TrainingRun):
            place, value = (float(run.parameters), float(run.tokens)), run.loss
        else:
            place, value = (float(run.x),), run.value
        values[place].append(float(value))
        sds[place].add(run.sd)
    if len({sd is None for one in sds.values() for sd in one}) > 1 or any(len(one) > 1 for one in sds.values()):
        raise StudyError("sd: give every run the sd of its cell, or none any")
    return tuple(Cell(place, tuple(values[place]), next(iter(sds[place]))) for place in sorted(values))
