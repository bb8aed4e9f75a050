"""The numerics: what is minimised is the minimum, and what is held is held."""

from __future__ import annotations

import numpy as np
import pytest
from isoflop import SMALL, noisy
from scipy.optimize import least_squares, minimize, nnls
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from novum.scaling.fit import fit
from novum.scaling.places import Noise, Places
from novum.scaling.solvers import huber
from novum.scaling.solvers.nonnegative import nonnegative
from novum.scaling.solvers.precision import precision
from novum.scaling.solvers.quantiles import f_above, student_quantile
from novum.scaling.solvers.variable_projection import GRID, Rows, project, scan, solve
from novum.scaling.training_runs import cells_of


def rows_of(seed, spread=0.01, count=1):
    """Noisy cell means of a small design, in a batch."""
    fits = [noisy(SMALL, seed + number, spread) for number in range(count)]
    places = Places.of(cells_of(fits[0]))
    means = np.array([[cell.mean for cell in cells_of(runs)] for runs in fits])
    return places.solved(means, Noise.EQUAL)


@pytest.mark.parametrize("unknowns", [1, 2, 3])
def test_nonnegative_least_squares_agree_with_scipy(unknowns):
    rng = np.random.default_rng(unknowns)
    bound = 0
    for _ in range(200):
        design, target = rng.standard_normal((8, unknowns)), rng.standard_normal(8)
        gram, moment = design.T @ design, design.T @ target
        found, explained = nonnegative([[np.array(one) for one in row] for row in gram], [np.array(m) for m in moment])
        expected, norm = nnls(design, target)
        assert np.array(found) == pytest.approx(expected, abs=1e-9)
        assert target @ target - explained == pytest.approx(norm**2, abs=1e-9)
        bound += (expected == 0).any()
    assert bound > 50


def test_a_column_that_repeats_another_does_no_harm():
    design = np.column_stack([np.ones(5), np.arange(5.0), np.arange(5.0)])
    target = 1 + 2 * np.arange(5.0)
    gram, moment = design.T @ design, design.T @ target
    found, _ = nonnegative([[np.array(one) for one in row] for row in gram], [np.array(m) for m in moment])
    assert design @ np.array(found) == pytest.approx(target)


def test_the_projection_reaches_the_minimum_of_a_general_solver_from_many_starts():
    rows, best = rows_of(0, spread=0.02)
    logs, target, rng = rows.logs[0], rows.response[0] * rows.weight[0], np.random.default_rng(1)

    def residuals(p):
        powers = np.exp(-logs * np.exp(p[3:]))
        return rows.weight[0] * (p[0] + powers @ p[1:3]) - target

    ends = [
        least_squares(residuals, [*rng.uniform(0, 2, 3), *np.log(rng.uniform(0.1, 1, 2))], xtol=1e-12, ftol=1e-12)
        for _ in range(8)
    ]
    least = min(2 * one.cost for one in ends)
    assert best.squares[0] == pytest.approx(least, rel=1e-8)


def test_no_point_of_the_grid_is_better_than_the_one_it_starts_from():
    rows, best = rows_of(0)
    start = scan(rows)
    points = np.array([(one, other) for one in GRID[::2] for other in GRID[::2]])
    many = Rows(rows.logs, rows.constant, np.repeat(rows.response, len(points), axis=0), rows.weight)
    costs = project(many, points).squares
    assert project(rows, start).squares[0] <= costs.min() + 1e-12
    assert best.squares[0] <= project(rows, start).squares[0]


def test_a_batch_is_its_problems_one_by_one():
    rows, best = rows_of(3, count=5)
    for number in range(5):
        alone = solve(rows.take(slice(number, number + 1)))
        assert alone.exponents[0] == pytest.approx(best.exponents[number], rel=1e-6)
        assert alone.coefficients[0] == pytest.approx(best.coefficients[number], rel=1e-6)


def test_coefficients_at_their_bound_have_a_cost_that_rises_from_it():
    """E below zero would fit better: E is zero, and no exponents around do better."""
    runs = noisy(SMALL, 0, 0.0)
    places = Places.of(cells_of(runs))
    means = np.array([[cell.mean - 1.9 for cell in cells_of(runs)]])
    rows, best = places.solved(means, Noise.EQUAL)
    assert best.coefficients[0, 0] == 0 and best.squares[0] > 1e-6
    for shift in np.exp(0.01 * np.random.default_rng(0).standard_normal((50, 2))):
        assert project(rows, best.exponents * shift).squares[0] >= best.squares[0] - 1e-12


@pytest.mark.parametrize("spread", [0.002, 0.01])
def test_the_huber_objective_is_minimised_as_by_a_simplex_search(spread):
    rows, start = rows_of(5, spread)
    rows = Rows(rows.logs, rows.constant, rows.response, np.ones_like(rows.response))
    found = huber.polish(rows, start)
    first = np.concatenate([found.coefficients[0], np.log(found.exponents[0])])

    def objective(p):
        size = np.abs(np.log(p[0] + np.exp(-rows.logs[0] * np.exp(p[3:])) @ p[1:3]) - np.log(rows.response[0]))
        return 1e6 * np.where(size <= 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum()

    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000}
    end = minimize(objective, first * 1.005, method="Nelder-Mead", options=options)
    total = 1e6 * huber.total(rows, found)[0]
    assert total == pytest.approx(objective(first), rel=1e-9)
    assert total <= end.fun * (1 + 1e-6)
    assert total < 1e6 * huber.total(rows, start)[0]


def test_averaging_the_huber_objective_instead_of_summing_it_changes_nothing():
    rows, start = rows_of(7)
    summed = Rows(rows.logs, rows.constant, rows.response, np.ones_like(rows.response))
    averaged = Rows(rows.logs, rows.constant, rows.response, np.full_like(rows.response, 1e-6))
    one, other = huber.polish(summed, start), huber.polish(averaged, start)
    assert other.exponents == pytest.approx(one.exponents, rel=1e-6)


def test_quantiles_and_tails_agree_with_scipy():
    dof = np.array([0.7, 1.0, 2.5, 7.0, 25.0, 1e3, 1e6])
    for probability in (0.6, 0.95, 0.999):
        assert student_quantile(probability, dof) == pytest.approx(t_distribution.ppf(probability, dof), rel=1e-8)
    for value, above, below in ((0.0, 3, 4), (0.3, 3, 200), (1.2, 25, 30), (8.0, 2, 5)):
        assert f_above(value, above, below) == pytest.approx(f_distribution.sf(value, above, below), abs=1e-10)


def test_the_ends_of_intervals_are_where_holding_the_number_costs_what_is_allowed():
    """E by a solver that knows nothing of pseudo-rows: the profile is taken by shifting the losses."""
    found = fit(noisy(SMALL, 2, 0.01))
    rows, low = found.rows, found.intervals["E"].low
    held = Rows(rows.logs, np.zeros_like(rows.constant), rows.response - low, rows.weight)
    cost = solve(held).squares[0] - found.solution.squares[0]
    beyond = Rows(rows.logs, np.zeros_like(rows.constant), rows.response - (low - 0.01), rows.weight)
    known = precision(rows, found.solution, [found.places.named()["E"]])
    allowed = (student_quantile(0.95, known.dof) * known.error / known.unit)[0, 0] ** 2
    assert cost == pytest.approx(allowed, rel=5e-3)
    assert solve(beyond).squares[0] - found.solution.squares[0] > allowed * 1.05
