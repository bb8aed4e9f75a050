"""What follows from recorded runs: laws, predictions, verdicts and comparisons, as plain values for the record.

Everything here is a function of the plan and the runs, so that whoever has the record can compute it again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from novum.arenas.sequence.scaling_cell import CellResult
from novum.arenas.sequence.scaling_plan import ScalingCell, ScalingPlan
from novum.core.model.errors import StudyError
from novum.scaling.compare import compare
from novum.scaling.fit import Fit, fit
from novum.scaling.interval import Interval
from novum.scaling.law import ScalingLaw
from novum.scaling.prediction import LossPrediction, judge, predict
from novum.scaling.training_runs import TrainingRun

Results = Mapping[int, CellResult]
"""By the number of the cell."""
NEAR = 0.02
"""How far a floor may be from the entropy, as a share of it."""
_ROUNDING = 1e-4
_NUMBER = re.compile(r"[-+]?\d[\d.,e+-]*")


def fit_cells(plan: ScalingPlan, architecture: str) -> list[ScalingCell]:
    """The cells that the law of an architecture is fitted to."""
    return [cell for cell in plan.cells if cell.architecture == architecture and not cell.held_out]


def held_out_cell(plan: ScalingPlan, architecture: str) -> ScalingCell:
    """The cell that is predicted."""
    return next(cell for cell in plan.cells if cell.architecture == architecture and cell.held_out)


def mean_loss(result: CellResult) -> float | None:
    """Of the runs that did not diverge; None if all did."""
    losses = [run.loss for run in result.runs if run.loss is not None]
    return math.fsum(losses) / len(losses) if losses else None


def fitted(plan: ScalingPlan, results: Results, architecture: str) -> Fit[ScalingLaw]:
    """The law of an architecture. Raises StudyError where the runs do not determine one."""
    return fit(
        [
            TrainingRun(cell.parameters, cell.tokens, run.loss)
            for cell in fit_cells(plan, architecture)
            for run in results[cell.number].runs
            if run.loss is not None
        ]
    )


def fit_said(plan: ScalingPlan, results: Results, architecture: str) -> dict[str, Any]:
    """The law with its intervals and remarks; without a law, why there is none."""
    remarks = _remarks(plan, results, architecture)
    said: dict[str, Any] = {"architecture": architecture, "law": None, "intervals": {}, "lack_of_fit": None}
    try:
        found = fitted(plan, results, architecture)
    except StudyError as error:
        return {**said, "remarks": [str(error), *remarks]}
    law = found.law
    said |= {
        "law": {name: getattr(law, name) for name in ("E", "A", "B", "alpha", "beta")},
        "intervals": {name: _ends(one) for name, one in found.intervals.items()},
        "level": found.level,
        "remarks": [*found.remarks, *remarks],
    }
    if found.lack_of_fit is not None:
        said["lack_of_fit"] = {"ratio": found.lack_of_fit.ratio, "chance": found.lack_of_fit.chance}
    if plan.entropy is not None:
        said |= {
            "entropy": plan.entropy,
            "entropy_inside": plan.entropy in found.intervals["E"],
            "floor_error": law.E / plan.entropy - 1,
        }
    return said


def prediction_of(plan: ScalingPlan, results: Results, architecture: str) -> LossPrediction:
    """What is expected of the held-out cell. Raises StudyError where there is no law."""
    cell = held_out_cell(plan, architecture)
    return predict(fitted(plan, results, architecture), cell.parameters, cell.tokens, repeats=len(cell.seeds))


def prediction_said(plan: ScalingPlan, results: Results, architecture: str) -> dict[str, Any]:
    """The prediction that is registered before the held-out cell is run."""
    found = prediction_of(plan, results, architecture)
    return {
        "architecture": architecture,
        "cell": held_out_cell(plan, architecture).number,
        "value": found.value,
        "low": found.run.low,
        "high": found.run.high,
        "level": found.run.level,
        "reach": found.reach,
        "sentence": found.sentence,
    }


def verdict_said(plan: ScalingPlan, results: Results, architecture: str) -> dict[str, Any]:
    """The prediction held against what was measured."""
    measured = mean_loss(results[held_out_cell(plan, architecture).number])
    if measured is None:
        return {"architecture": architecture, "measured": None, "sentence": "every run of the held-out cell diverged"}
    found = judge(prediction_of(plan, results, architecture), measured)
    return {
        "architecture": architecture,
        "measured": measured,
        "relative_error": found.relative_error,
        "inside": found.inside,
        "sentence": found.sentence,
    }


def comparison_said(plan: ScalingPlan, results: Results) -> dict[str, Any]:
    """The first architecture against the second. "Scales better" is said by `Comparison` alone."""
    names = (plan.architectures[0].name, plan.architectures[1].name)
    try:
        found = compare(*(fitted(plan, results, name) for name in names), names=names)
    except StudyError as error:
        return {"sentence": f"{names[0]} and {names[1]} cannot be compared: {error}", "scales_better": False}
    return {
        "sentence": found.sentence,
        "scales_better": found.scales_better,
        "compute": found.compute,
        "differences": {
            name: {"value": one.value, "interval": _ends(one.interval)} for name, one in found.differences.items()
        },
    }


def _remarks(plan: ScalingPlan, results: Results, architecture: str) -> list[str]:
    """What to know of the runs before their law is believed."""
    cells = fit_cells(plan, architecture)
    found = []
    for end, word in ((max(plan.rates), "highest"), (min(plan.rates), "lowest")):
        count = sum(results[cell.number].rate == end for cell in cells)
        if count:
            found.append(
                f"the best learning rate is the {word} that was tried, {end:g}, in {count} of {len(cells)} cells: "
                "another might be better there; widen the sweep with --rate"
            )
    diverged = sum(run.loss is None for cell in cells for run in results[cell.number].runs)
    if diverged:
        found.append(f"{diverged} runs diverged at the rate that was best in the sweep and are left out")
    return found


def _ends(interval: Interval) -> list[float | None]:
    """Low and high; None where there is no bound."""
    return [one if math.isfinite(one) else None for one in (interval.low, interval.high)]


def agree(one: Any, other: Any) -> bool:
    """Whether two values of a record are the same but for rounding, which differs between machines."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(agree(one[key], other[key]) for key in one)
    if isinstance(one, str) and isinstance(other, str):
        return _NUMBER.sub("", one) == _NUMBER.sub("", other)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one) == len(other) and all(agree(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, bool) or isinstance(other, bool) or not isinstance(one, int | float):
        return bool(one == other)
    return isinstance(other, int | float) and math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=1e-9)
