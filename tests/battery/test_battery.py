"""The battery: targets say what they hide, a search and its control get the same time, what is finished stays."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from novum.battery.allowance import Allowance
from novum.battery.campaigns import accepted, recognised, study_text
from novum.battery.run_battery import RESULT, Settings, run
from novum.battery.target import chosen, targets
from novum.cli.app import application
from novum.core.model.errors import UserError
from novum.registry import Kind, build
from novum.studies.load import load_study


@pytest.mark.parametrize("name", [one.name for one in targets()])
def test_every_target_is_a_study_that_its_arena_admits_and_so_is_its_control(name, tmp_path):
    (one,) = chosen(name)
    for control in (False, True):
        file = tmp_path / f"{control}.toml"
        file.write_text(study_text(one, control=control))
        study = load_study(str(file)).study
        arena = build(Kind.ARENA, study.arena, study.options)
        arena.space.validate({**arena.spec.baseline, **study.baseline})
        told = tomllib.loads(file.read_text())["researcher"]
        assert control == (told["name"] == "random" or told.get("options", {}).get("random", False))
    assert one.target.answer
    assert one.target.hidden


def test_no_study_of_the_battery_names_its_answer():
    for one in targets():
        for answer in one.target.accepted:
            assert answer.lower() not in one.study.lower(), one.name


def test_an_answer_of_several_parts_needs_all_of_them():
    assert accepted(("delta write + convolution",), ["convolution", "delta write", "gate"])
    assert not accepted(("delta write + convolution",), ["convolution"])
    assert accepted(("a", "b"), ["b"])
    assert accepted(("pcfr+ cubic", "pcfr+"), ["pcfr+"])
    assert not accepted(("pcfr+",), ["pcfr"])


def test_unknown_targets_and_too_small_budgets_are_named(tmp_path):
    with pytest.raises(UserError, match="there is no target 'x'; choose from lms"):
        chosen("lms,x")
    with pytest.raises(UserError, match="need at least 10 s"):
        run(chosen("lms"), Settings(2.0, tmp_path), lambda _: None)


@given(st.lists(st.tuples(st.floats(0.5, 4), st.floats(0, 1)), min_size=1, max_size=8))
def test_what_a_target_does_not_need_is_left_to_those_after_it(targets_):
    """Each has a share and needs a part of what it is given; the last is given all that is left."""
    allowance = Allowance(1000.0, {str(at): share for at, (share, _) in enumerate(targets_)})
    used = 0.0
    for at, (_, need) in enumerate(targets_):
        given_ = allowance.take(str(at))
        assert 0 <= given_ <= 1000.0 - used + 1e-6
        if at == len(targets_) - 1:
            assert given_ == pytest.approx(1000.0 - used)
        used += need * given_
        allowance.settle(str(at), need * given_)


def test_targets_that_run_side_by_side_are_not_given_the_same_time_twice():
    allowance = Allowance(90.0, {"a": 1, "b": 1, "c": 1})
    assert (allowance.take("a"), allowance.take("b")) == (30.0, 30.0)
    allowance.settle("b", 10.0)
    assert allowance.take("c") == pytest.approx(50.0)
    allowance.settle("a", 45.0)
    allowance.settle("c", 50.0)


@pytest.mark.slow
def test_known_rules_are_recognised_and_others_are_not():
    pytest.importorskip("numba")
    (one,) = chosen("lms")
    rule = {"setup": "b = -0.4", "predict": "x = b * x; p = dot(u, x)", "learn": "y = y - p; w = y * x; u = u + w"}
    hebb = {"setup": "b = 0.1", "predict": "p = dot(w, x)", "learn": "a = y * b; u = a * x; w = u + w"}
    known, other = recognised(one, [rule, hebb])
    assert known["names"] == ["least mean squares"]
    assert "exactly" in known["words"]
    assert other["names"] == ["Hebb"]
    assert accepted(one.target.accepted, known["names"])
    assert not accepted(one.target.accepted, other["names"])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_battery_of_one_runs_verifies_and_is_not_run_twice(tmp_path):
    pytest.importorskip("numba")
    command = ["battery", "--only", "lms", "--budget", "cpu 14s", "--folder", str(tmp_path), "--json"]
    first = CliRunner().invoke(application(), command)
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    (one,) = told["targets"]
    assert one["verified"]
    assert one["candidates"] > 10_000 < one["random_candidates"]
    assert one["random_cpu_seconds"] < 2 * one["cpu_seconds"] + 5
    assert not one["confirmed"] or one["found"]
    written = (tmp_path / "lms" / RESULT).stat().st_mtime_ns
    again = CliRunner().invoke(application(), command)
    assert json.loads(again.stdout) == told
    assert (tmp_path / "lms" / RESULT).stat().st_mtime_ns == written
