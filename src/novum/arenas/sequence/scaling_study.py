"""A scaling study from its plan to its verdict, each step in the record before the next one begins.

plan, a run for each cell as it ends, the fits, the predictions of the held-out cells, the runs of these cells, the
verdicts, the comparison. Whoever starts it again goes on behind what is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from novum.arenas.sequence import scaling_conclusions as conclusions
from novum.arenas.sequence.scaling_cell import CellRequest, CellResult
from novum.arenas.sequence.scaling_plan import ScalingCell, ScalingPlan
from novum.core.model.candidate import Scalar
from novum.core.model.errors import IntegrityError, UserError
from novum.scaling.chained_record import ChainedRecord, Entry

PLAN, RUN, FIT, PREDICTION, HELD_OUT, VERDICT, COMPARISON = (
    "plan",
    "run",
    "fit",
    "prediction",
    "held-out run",
    "verdict",
    "comparison",
)
TrainCell = Callable[[CellRequest], CellResult]
Told = Callable[[ScalingCell, CellResult, int, int], None]
"""Told of each cell that ended: how many of all cells are done, and how many there are."""


@dataclass
class Recorded:
    """What a record says: the plan, what was asked for, results by cell, and conclusions by kind and architecture."""

    plan: ScalingPlan
    asked: Mapping[str, Any]
    options: dict[str, Scalar]
    results: dict[int, CellResult] = field(default_factory=dict)
    said: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Recorded:
        """From entries whose chain is whole. Raises IntegrityError where they are no scaling study."""
        if not entries or entries[0].kind != PLAN:
            raise IntegrityError("the record does not begin with a plan: it is none of `novum scale`")
        try:
            body = entries[0].body
            found = cls(TypeAdapter(ScalingPlan).validate_python(body["plan"]), body["asked"], dict(body["options"]))
            for entry in entries[1:]:
                found.take(entry)
        except (KeyError, TypeError, ValidationError) as error:
            raise IntegrityError(f"the record cannot be read as a scaling study: {type(error).__name__}") from None
        return found

    def take(self, entry: Entry) -> None:
        """One entry more."""
        if entry.kind in (RUN, HELD_OUT):
            result = TypeAdapter(CellResult).validate_python(entry.body["result"])
            self.results[int(entry.body["cell"])] = result
        else:
            self.said[entry.kind, str(entry.body.get("architecture", ""))] = entry.body


def begin(
    record: ChainedRecord, asked: Mapping[str, Any], options: Mapping[str, Scalar], make: Callable[[], ScalingPlan]
) -> Recorded:
    """What is recorded; in an empty record the plan first. Raises UserError where another plan was asked for."""
    if not record.entries:
        record.add(PLAN, {"plan": asdict(make()), "asked": dict(asked), "options": dict(options)})
        return Recorded.of(record.entries)
    found = Recorded.of(record.entries)
    if changed := sorted(key for key in {*asked, *found.asked} if asked.get(key) != found.asked.get(key)):
        key = changed[0]
        raise UserError(
            f"{record.file.name} was planned with {key} = {found.asked.get(key)}, not {asked.get(key)}: "
            "give the same arguments to go on, or another --out for another plan"
        )
    return found


def carry_on(record: ChainedRecord, found: Recorded, train: TrainCell, workers: int, told: Told) -> None:
    """Everything that is not recorded yet, in order. Raises UserError where a cell fails."""
    plan = found.plan
    names = [one.name for one in plan.architectures]
    _train(record, found, [cell for cell in plan.cells if not cell.held_out], train, workers, told)
    for name in names:
        _say(record, found, FIT, name, conclusions.fit_said)
    lawful = [name for name in names if found.said[FIT, name]["law"] is not None]
    for name in lawful:
        _say(record, found, PREDICTION, name, conclusions.prediction_said)
    _train(record, found, [conclusions.held_out_cell(plan, name) for name in lawful], train, workers, told)
    for name in lawful:
        _say(record, found, VERDICT, name, conclusions.verdict_said)
    if len(lawful) == 2 and (COMPARISON, "") not in found.said:
        found.take(record.add(COMPARISON, conclusions.comparison_said(plan, found.results)))


def _say(
    record: ChainedRecord,
    found: Recorded,
    kind: str,
    name: str,
    said: Callable[[ScalingPlan, conclusions.Results, str], dict[str, Any]],
) -> None:
    if (kind, name) not in found.said:
        found.take(record.add(kind, said(found.plan, found.results, name)))


def _train(
    record: ChainedRecord, found: Recorded, cells: Sequence[ScalingCell], train: TrainCell, workers: int, told: Told
) -> None:
    """The cells that have no result, so many at a time; each is recorded as it ends."""
    waiting = [cell for cell in cells if cell.number not in found.results]
    pool = ThreadPoolExecutor(workers)
    try:
        running = {pool.submit(train, _request(found, cell)): cell for cell in waiting}
        for done in as_completed(running):
            cell, result = running[done], done.result()
            kind = HELD_OUT if cell.held_out else RUN
            found.take(record.add(kind, {"cell": cell.number, "result": asdict(result)}))
            told(cell, result, len(found.results), len(found.plan.cells))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _request(found: Recorded, cell: ScalingCell) -> CellRequest:
    genome = next(one.genome for one in found.plan.architectures if one.name == cell.architecture)
    return CellRequest(
        found.options,
        genome,
        cell.width,
        cell.steps,
        found.plan.rates,
        cell.sweep_seed,
        cell.seeds,
        found.plan.sequences,
    )
