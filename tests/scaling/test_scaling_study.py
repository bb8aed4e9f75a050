"""A scaling study is recorded step by step, goes on after any end, and its record shows what was changed in it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import simulated_cells
from simulated_cells import CHOSEN, FLOP, LAW, OPTIONS, architecture, carried_on, simulated

from novum.arenas.sequence.scaling_budget import WIDTHS, affordable, measure
from novum.arenas.sequence.scaling_cell import SpeedRequest, SpeedResult
from novum.arenas.sequence.scaling_check import check
from novum.arenas.sequence.scaling_conclusions import mean_loss
from novum.arenas.sequence.scaling_plan import FEWEST_STEPS, make_plan, nearest, sized
from novum.arenas.sequence.scaling_summary import summary
from novum.core.model.errors import IntegrityError, StudyError, UserError
from novum.scaling.chained_record import ChainedRecord, opened, read
from novum.scaling.law import ScalingLaw


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The record of a whole study."""
    directory = tmp_path_factory.mktemp("scaled")
    carried_on(directory, simulated())
    return directory / "scale.jsonl"


def said(path: Path) -> list[tuple[str, object]]:
    """Kinds and bodies, without times."""
    return [(one.kind, one.body) for one in read(path)]


def forged(path: Path, entries: list[tuple[str, dict]]) -> Path:
    """A record whose chain is whole and says whatever somebody wants."""
    with path.open("wb") as file:
        record = ChainedRecord(file, [])
        for kind, body in entries:
            record.add(kind, body)
    return path


# --- the plan


def test_sizes_are_real_and_the_nearest_and_no_cell_costs_more_than_planned():
    made = make_plan(OPTIONS, [architecture()], FLOP, CHOSEN)
    assert made.flop <= FLOP < 1.15 * made.flop
    for cell in made.cells:
        assert cell.width % 4 == 0
        assert cell.parameters == sized(OPTIONS, made.architectures[0].genome, cell.width).parameters
        assert cell.tokens == cell.steps * OPTIONS.batch * OPTIONS.named[0].task.length
        assert cell.compute == 6.0 * cell.parameters * cell.tokens
        assert cell.steps >= 0.8 * FEWEST_STEPS
    ahead = [cell.compute for cell in made.cells if cell.held_out]
    rest = max(cell.compute for cell in made.cells if not cell.held_out)
    assert len(ahead) == 1 and 4 <= ahead[0] / rest <= 10


@pytest.mark.parametrize("wanted", [1, 2400, 5000, 77_777, 1_000_000])
def test_no_other_width_is_nearer(wanted):
    genome = architecture().genome
    width, stack = nearest(OPTIONS, genome, wanted)

    def ratio(parameters: int) -> float:
        return max(parameters / wanted, wanted / parameters)

    others = [sized(OPTIONS, genome, one).parameters for one in (width - 4, width + 4) if one > 0]
    assert all(ratio(stack.parameters) <= ratio(one) for one in others)


def test_no_two_runs_share_a_seed_but_those_of_one_place_of_two_architectures():
    made = make_plan(OPTIONS, [architecture(), architecture("d", layer_1="delta")], 2 * FLOP, CHOSEN)
    for one in made.architectures:
        cells = [cell for cell in made.cells if cell.architecture == one.name]
        seeds = [seed for cell in cells for seed in (cell.sweep_seed, *cell.seeds)]
        assert len(set(seeds)) == len(seeds)
    assert len({cell.number for cell in made.cells}) == len(made.cells)


def test_a_budget_of_cpu_time_is_used_and_not_passed():
    def speed(asked: SpeedRequest) -> SpeedResult:
        return SpeedResult(tuple(1e-3 + 1e-5 * one for one in asked.widths), 2.0)

    costs = measure(OPTIONS, {}, [architecture()], CHOSEN, speed)
    made = affordable(OPTIONS, [architecture()], CHOSEN, 600.0, costs)
    assert 0.85 * 600 <= costs["baseline"](made) <= 600
    slope = 1e-5 * (WIDTHS[-1] - WIDTHS[0])
    least = sum(2.0 + cell.steps * 1e-3 for cell in made.cells)
    most = sum(2.0 + (cell.steps + made.sequences / 4) * (2e-3 + 2 * slope) for cell in made.cells)
    assert least < costs["baseline"](made) < most
    with pytest.raises(StudyError, match="smallest such design takes about"):
        affordable(OPTIONS, [architecture()], CHOSEN, 20.0, costs)


# --- the record


def test_the_prediction_is_registered_before_the_held_out_run_and_all_in_order(finished):
    kinds = [one.kind for one in read(finished)]
    assert kinds == ["plan", *["run"] * 16, "fit", "prediction", "held-out run", "verdict"]
    found = summary(check(read(finished)), read(finished), finished)
    (law,) = found.laws
    assert law.entropy_inside and law.floor_near and law.prediction is not None
    assert abs(law.prediction.relative_error or 1) < 0.02 and law.prediction.reach == pytest.approx(5, rel=0.1)


def test_the_rate_is_chosen_on_seeds_that_do_not_count(finished):
    found = check(read(finished))
    for cell in found.plan.cells:
        result = found.results[cell.number]
        assert {run.seed for run in result.sweep}.isdisjoint(run.seed for run in result.runs)
        assert {run.rate for run in result.runs} == {result.rate} == {0.1}
        assert mean_loss(result) == pytest.approx(float(LAW.loss(cell.parameters, cell.tokens)), rel=0.02)


def test_a_second_start_trains_nothing_and_changes_nothing(finished):
    before = finished.read_bytes()
    carried_on(finished.parent, lambda asked: pytest.fail(f"{asked} is trained again"))
    assert finished.read_bytes() == before


@pytest.mark.parametrize("after", [0, 1, 9, 15, 16])
def test_interrupted_anywhere_it_comes_to_the_same_end(after, finished, tmp_path):
    quick, trained = simulated(), []

    def until(asked):
        if len(trained) == after:
            raise KeyboardInterrupt
        trained.append(asked)
        return quick(asked)

    with pytest.raises(KeyboardInterrupt):
        carried_on(tmp_path, until)
    carried_on(tmp_path, quick)
    assert sorted(map(repr, said(tmp_path / "scale.jsonl"))) == sorted(map(repr, said(finished)))


def test_after_kill_9_nothing_that_had_ended_is_lost(finished, tmp_path):
    record = tmp_path / "scale.jsonl"
    process = subprocess.Popen([sys.executable, simulated_cells.__file__, str(tmp_path), "0.15"])
    while not record.exists() or record.read_bytes().count(b"\n") < 6:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = record.read_bytes()
    record.write_bytes(kept + b'{"kind":"run","bo')  # what a write that was cut off leaves
    carried_on(tmp_path, simulated())
    assert record.read_bytes().startswith(kept)
    assert sorted(map(repr, said(record))) == sorted(map(repr, said(finished)))
    check(read(record))


def test_finite_numbers_of_every_size_come_back_as_they_were(tmp_path):
    numbers = [sign * 10.0**power for power in range(-300, 301, 4) for sign in (1.37, -9.2)] + [2.0**53, 1e21, 0.0, 7]
    with opened(tmp_path / "scale.jsonl") as record:
        record.add("numbers", {"numbers": numbers})
    assert read(tmp_path / "scale.jsonl")[0].body["numbers"] == numbers


def test_two_processes_do_not_write_to_one_record(tmp_path):
    with opened(tmp_path / "scale.jsonl"), pytest.raises(UserError, match="another process"):  # noqa: SIM117
        with opened(tmp_path / "scale.jsonl"):
            pass


def test_another_plan_is_refused_with_what_differs(finished):
    with opened(finished) as record, pytest.raises(UserError, match=r"planned with flop = .*another --out"):
        simulated_cells.begin(record, {"flop": 1.0}, {}, lambda: pytest.fail("planned again"))


@pytest.mark.parametrize("line", [0, 1, 5, 17, 18, 19])
def test_a_changed_character_breaks_the_chain(line, finished, tmp_path):
    lines = finished.read_bytes().splitlines(keepends=True)
    for place in range(3, len(lines[line]) - 2, max(1, len(lines[line]) // 40)):
        changed = bytearray(lines[line])
        changed[place] = changed[place] + 1
        path = tmp_path / "scale.jsonl"
        path.write_bytes(b"".join([*lines[:line], bytes(changed), *lines[line + 1 :]]))
        with pytest.raises(IntegrityError, match=r"line \d+"):
            read(path)


def test_lines_that_are_lost_or_exchanged_break_the_chain(finished, tmp_path):
    lines = finished.read_bytes().splitlines(keepends=True)
    path = tmp_path / "scale.jsonl"
    for changed in ([*lines[:4], *lines[5:]], [*lines[:4], lines[5], lines[4], *lines[6:]], lines[1:]):
        path.write_bytes(b"".join(changed))
        with pytest.raises(IntegrityError):
            read(path)


def _reworded(entries, kind, change):
    """The entries with the first of a kind changed."""
    copied = [(name, json.loads(json.dumps(body))) for name, body in entries]
    change(next(body for name, body in copied if name == kind))
    return copied


@pytest.mark.parametrize(
    ("kind", "change", "problem"),
    [
        ("run", lambda body: body["result"]["runs"][0].update(loss=2.2), "does not follow"),
        ("run", lambda body: body["result"]["runs"][0].update(seed=99), "its seeds are"),
        ("run", lambda body: body.update(cell=77), "no cell 77"),
        ("fit", lambda body: body["law"].update(E=2.0), "does not follow"),
        ("fit", lambda body: body.update(remarks=["all is well"]), "does not follow"),
        ("prediction", lambda body: body.update(high=9.0), "does not follow"),
        ("held-out run", lambda body: body["result"]["runs"][0].update(loss=2.3), "does not follow"),
        ("verdict", lambda body: body.update(inside=not body["inside"]), "does not follow"),
    ],
)
def test_a_record_that_was_written_anew_has_to_follow_from_its_runs(kind, change, problem, finished, tmp_path):
    path = forged(tmp_path / "scale.jsonl", _reworded(said(finished), kind, change))
    with pytest.raises(IntegrityError, match=problem):
        check(read(path))


def test_a_prediction_behind_its_run_is_no_prediction(finished, tmp_path):
    entries = said(finished)
    entries[18], entries[19] = entries[19], entries[18]
    with pytest.raises(IntegrityError, match="before its prediction was registered"):
        check(read(forged(tmp_path / "scale.jsonl", entries)))
    entries = said(finished)
    entries[16], entries[17] = entries[17], entries[16]
    with pytest.raises(IntegrityError, match=r"line 17 \(fit\)"):
        check(read(forged(tmp_path / "scale.jsonl", entries)))


# --- what is concluded


def test_a_law_with_a_larger_exponent_and_lower_losses_scales_better_and_an_equal_one_does_not(tmp_path):
    two = (architecture(), architecture("layer_1=delta", layer_1="delta"))
    worse = replace(LAW, alpha=0.55, A=100.0, beta=0.45, B=200.0)
    found = carried_on(tmp_path / "worse", simulated({"delta": worse}, 0.001), two)
    assert found.said["comparison", ""]["scales_better"] is True
    assert "baseline scales better than layer_1=delta" in found.said["comparison", ""]["sentence"]
    equal = carried_on(tmp_path / "equal", simulated(spread=0.001), two)
    assert equal.said["comparison", ""]["scales_better"] is False
    check(read(tmp_path / "worse" / "scale.jsonl"))


def test_without_a_law_nothing_is_predicted_and_the_held_out_cell_is_not_run(tmp_path):
    rising = ScalingLaw(E=2.0, A=0.0, B=0.0, alpha=1.0, beta=1.0)
    found = carried_on(tmp_path, simulated({"own": rising}, 0.0))
    assert [kind for kind, _ in found.said] == ["fit"] and found.said["fit", "baseline"]["law"] is None
    assert len(found.results) == len(found.plan.cells) - 1
    check(read(tmp_path / "scale.jsonl"))


def test_a_best_rate_at_the_end_of_the_sweep_is_remarked_on(tmp_path):
    found = carried_on(tmp_path, simulated(best=2.0))
    assert any("highest that was tried, 1, in 16 of 16" in one for one in found.said["fit", "baseline"]["remarks"])
