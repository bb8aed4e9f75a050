"""Whether the record of a scaling study holds: order, and that its conclusions follow from its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from novum.arenas.sequence import scaling_conclusions as conclusions
from novum.arenas.sequence.scaling_plan import ScalingPlan
from novum.arenas.sequence.scaling_study import (
    COMPARISON,
    FIT,
    HELD_OUT,
    PREDICTION,
    RUN,
    VERDICT,
    Recorded,
)
from novum.core.model.errors import IntegrityError, StudyError
from novum.scaling.chained_record import Entry

_AGAIN: Mapping[str, Callable[[ScalingPlan, conclusions.Results, str], dict[str, Any]]] = {
    FIT: conclusions.fit_said,
    PREDICTION: conclusions.prediction_said,
    VERDICT: conclusions.verdict_said,
}


def check(entries: Sequence[Entry]) -> Recorded:
    """What the entries say, each held to those before it. Raises IntegrityError with the number of the line."""
    found = Recorded.of(entries[:1])
    for number, entry in enumerate(entries[1:], start=2):
        if problem := _problem(found, entry):
            raise IntegrityError(f"line {number} ({entry.kind}): {problem}")
        try:
            found.take(entry)
        except (KeyError, TypeError, ValueError):
            raise IntegrityError(f"line {number} ({entry.kind}): it cannot be read") from None
    return found


def _problem(found: Recorded, entry: Entry) -> str:
    """What is wrong with an entry behind those that were found, or nothing."""
    if entry.kind in (RUN, HELD_OUT):
        return _problem_of_run(found, entry)
    if entry.kind == COMPARISON:
        return _differs(lambda: conclusions.comparison_said(found.plan, found.results), entry)
    if entry.kind not in _AGAIN:
        return "no scaling study has such a line"
    name = str(entry.body.get("architecture", ""))
    if name not in [one.name for one in found.plan.architectures]:
        return f"the plan has no architecture {name!r}"
    if (entry.kind, name) in found.said:
        return "it is there twice"
    return _differs(lambda: _AGAIN[entry.kind](found.plan, found.results, name), entry)


def _problem_of_run(found: Recorded, entry: Entry) -> str:
    number = entry.body.get("cell")
    cell = next((one for one in found.plan.cells if one.number == number), None)
    if cell is None:
        return f"the plan has no cell {number!r}"
    if cell.number in found.results:
        return f"cell {number} is there twice"
    if cell.held_out != (entry.kind == HELD_OUT):
        return f"cell {number} is{'' if cell.held_out else ' not'} held out by the plan"
    if cell.held_out and (PREDICTION, cell.architecture) not in found.said:
        return "the held-out cell was run before its prediction was registered"
    if not cell.held_out and (FIT, cell.architecture) in found.said:
        return f"cell {number} was run after the fit that it belongs to"
    try:
        seeds = [run["seed"] for run in entry.body["result"]["runs"]]
    except (KeyError, TypeError):
        return "it cannot be read"
    return "" if seeds == list(cell.seeds) else f"its seeds are {seeds}, the plan has {list(cell.seeds)}"


def _differs(again: Callable[[], dict[str, Any]], entry: Entry) -> str:
    try:
        same = conclusions.agree(again(), entry.body)
    except (StudyError, KeyError, StopIteration):
        return "it does not follow from the runs before it: they determine nothing of the kind"
    return "" if same else "it does not follow from the runs before it"
