"""Designs cost what they may, are what was asked for, and say what budget would do."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isoflop import BUDGET, SMALL, design

from novum.core.model.errors import StudyError
from novum.scaling.design import DesignOptions, plan
from novum.scaling.simulate import simulate

OPTIONS = st.builds(
    DesignOptions,
    budgets=st.integers(2, 8),
    span=st.floats(2, 1e4),
    sizes=st.integers(3, 9),
    width=st.floats(2, 100),
    repeats=st.integers(1, 5),
    held_out=st.floats(4, 10),
    held_out_repeats=st.integers(1, 3),
    tokens_per_parameter=st.floats(1, 100),
)


@settings(max_examples=60, deadline=None)
@given(st.floats(1e10, 1e22), OPTIONS)
def test_all_runs_with_the_held_out_ones_cost_the_budget_and_never_more(budget, options):
    try:
        planned = plan(budget, options)
    except StudyError:
        return
    total = sum(6 * cell.parameters * cell.tokens * cell.repeats for cell in (*planned.cells, planned.held_out))
    assert planned.compute == pytest.approx(total) and total <= budget * (1 + 1e-12)
    assert total >= 0.99 * budget
    assert len(planned.cells) == options.budgets * options.sizes
    assert min(cell.parameters for cell in planned.cells) >= options.fewest_parameters
    assert min(cell.tokens for cell in planned.cells) >= options.fewest_tokens


@settings(max_examples=60, deadline=None)
@given(st.floats(1e6, 1e14), OPTIONS)
def test_a_budget_that_is_too_small_is_refused_with_one_that_would_do(budget, options):
    try:
        plan(budget, options)
    except StudyError as error:
        enough = float(re.search(r"; (\S+) FLOP would do", str(error))[1])
        assert enough > budget
        plan(enough, options)
        with pytest.raises(StudyError, match="too small"):
            plan(enough * 0.98, options)


def test_sizes_are_centred_on_the_best_one_and_compute_is_the_same_for_all_of_a_budget():
    planned = design(budgets=4, sizes=5, width=16.0, span=27.0)
    groups = np.array([cell.compute for cell in planned.cells]).reshape(4, 5)
    assert groups.max(axis=1) == pytest.approx(groups.min(axis=1), rel=1e-3)
    assert groups.mean(axis=1)[1:] / groups.mean(axis=1)[:-1] == pytest.approx(3, rel=1e-3)
    for group, compute in zip(np.array(planned.cells, dtype=object).reshape(4, 5), groups.mean(axis=1), strict=True):
        sizes = [cell.parameters for cell in group]
        assert sizes[2] == pytest.approx(SMALL.optimum(compute).parameters, rel=1e-3)
        assert sizes[4] / sizes[0] == pytest.approx(16, rel=1e-3)
    held = planned.held_out.compute / groups.max()
    assert held == pytest.approx(10, rel=1e-3)


def test_a_design_without_a_guess_has_the_tokens_a_parameter_that_were_given():
    middle = plan(BUDGET, DesignOptions(sizes=3, tokens_per_parameter=50.0)).cells[1]
    assert middle.tokens / middle.parameters == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budgets": 1}, "budgets = 1"),
        ({"sizes": 2}, "sizes = 2"),
        ({"repeats": 0}, "repeats = 0"),
        ({"span": 1.0}, "span"),
        ({"held_out": 2.0}, "4 to 10 times"),
        ({"tokens_per_parameter": 0.0}, "above zero"),
    ],
)
def test_impossible_designs_are_refused(options, words):
    with pytest.raises(StudyError, match=words):
        DesignOptions(**options)


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_budgets_are_finite_and_above_zero(budget):
    with pytest.raises(StudyError, match="finite number above zero"):
        plan(budget)


def test_simulated_runs_have_the_noise_that_was_asked_for():
    cells, rng = design(repeats=4).cells, np.random.default_rng(0)
    for options, ratio in (({}, 1.0), ({"decline": 0.5}, 10.0)):
        errors = [
            [
                run.loss / float(SMALL.loss(run.parameters, run.tokens)) - 1
                for run in simulate(SMALL, cells, 0.01, rng, **options)
            ]
            for _ in range(60)
        ]
        sd = np.std(errors, axis=0).reshape(30, 4).mean(axis=1)
        assert sd[24:].mean() == pytest.approx(0.01, rel=0.1)
        assert sd[:6].mean() / sd[24:].mean() == pytest.approx(ratio, rel=0.15)
    shared = np.array([[run.loss for run in simulate(SMALL, cells, 0.01, rng, shared=1.0)]]).reshape(30, 4)
    assert np.ptp(shared, axis=1) == pytest.approx(0, abs=1e-12)
    with pytest.raises(StudyError, match="share from 0 to 1"):
        simulate(SMALL, cells, 0.01, rng, shared=2.0)
