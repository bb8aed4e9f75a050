"""A scaling study as its command shows it: cells, laws, predictions with what came of them, and the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from novum.arenas.sequence.scaling_conclusions import NEAR, mean_loss
from novum.arenas.sequence.scaling_plan import ScalingCell
from novum.arenas.sequence.scaling_study import COMPARISON, FIT, PREDICTION, VERDICT, Recorded
from novum.scaling.chained_record import Entry


@dataclass(frozen=True, slots=True)
class ScaledCell:
    """Runs of one size and one amount of data."""

    architecture: str
    parameters: int
    """N, embeddings counted."""
    tokens: int
    """D."""
    compute: float
    """FLOP of a run, 6 N D."""
    product_flop: float
    """FLOP of the matrix products and triangular solves of a run."""
    rate: float
    """The best learning rate of the cell's sweep."""
    losses: list[float | None]
    """Of the runs at this rate, on seeds that the sweep did not have, in nats per scored position; null: diverged."""
    loss: float | None
    """Their mean."""
    held_out: bool


@dataclass(frozen=True, slots=True)
class RegisteredPrediction:
    """What was expected of the held-out cell before it was run, and what was measured."""

    value: float
    low: float
    high: float
    reach: float
    """N D over the largest of the fit."""
    measured: float | None
    relative_error: float | None
    """Predicted less measured, as a share of the measured."""
    inside: bool | None


@dataclass(frozen=True, slots=True)
class ScaledLaw:
    """loss(N, D) = E + A / N^alpha + B / D^beta of one architecture."""

    architecture: str
    law: dict[str, float] | None
    """E, A, B, alpha and beta; null where the runs determine none."""
    intervals: dict[str, list[float | None]]
    """Low and high at the level, null without bound; also of a and gamma, the exponents of the best size and of the
    frontier."""
    level: float | None
    entropy_inside: bool | None
    """Whether the interval of E has the entropy of the task."""
    floor_error: float | None
    """E over the entropy, less 1."""
    floor_near: bool | None
    """Whether that is at most 2 %."""
    remarks: list[str]
    """What to know before believing it."""
    prediction: RegisteredPrediction | None


@dataclass(frozen=True, slots=True)
class ScalingSummary:
    """A scaling study, as far as it is recorded."""

    record: str
    lines: int
    digest: str
    """SHA-256 of the last line: kept elsewhere, it shows whether the record was written anew."""
    tasks: str
    entropy: float | None
    """In nats per scored position, where it is known."""
    flop: float
    """Of all runs by 6 N D, sweeps included."""
    cells_planned: int
    cells: list[ScaledCell]
    laws: list[ScaledLaw]
    comparison: str | None
    scales_better: bool | None


def summary(found: Recorded, entries: Sequence[Entry], path: Path) -> ScalingSummary:
    """Of a record that was checked."""
    plan = found.plan
    compared = found.said.get((COMPARISON, ""))
    return ScalingSummary(
        record=str(path),
        lines=len(entries),
        digest=entries[-1].digest,
        tasks=plan.tasks,
        entropy=plan.entropy,
        flop=plan.flop,
        cells_planned=len(plan.cells),
        cells=[_cell(found, cell) for cell in plan.cells if cell.number in found.results],
        laws=[_law(found, one.name) for one in plan.architectures if (FIT, one.name) in found.said],
        comparison=None if compared is None else str(compared["sentence"]),
        scales_better=None if compared is None else bool(compared["scales_better"]),
    )


def _cell(found: Recorded, cell: ScalingCell) -> ScaledCell:
    result = found.results[cell.number]
    return ScaledCell(
        cell.architecture,
        cell.parameters,
        cell.tokens,
        cell.compute,
        cell.product_flop,
        result.rate,
        [run.loss for run in result.runs],
        mean_loss(result),
        cell.held_out,
    )


def _law(found: Recorded, name: str) -> ScaledLaw:
    said = found.said[FIT, name]
    error = said.get("floor_error")
    return ScaledLaw(
        name,
        said["law"],
        said["intervals"],
        said.get("level"),
        said.get("entropy_inside"),
        error,
        None if error is None else abs(error) <= NEAR,
        list(said["remarks"]),
        _prediction(found.said.get((PREDICTION, name)), found.said.get((VERDICT, name), {})),
    )


def _prediction(before: Mapping[str, float] | None, after: Mapping[str, float]) -> RegisteredPrediction | None:
    if before is None:
        return None
    inside = after.get("inside")
    return RegisteredPrediction(
        before["value"],
        before["low"],
        before["high"],
        before["reach"],
        after.get("measured"),
        after.get("relative_error"),
        None if inside is None else bool(inside),
    )
