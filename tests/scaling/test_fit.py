"""Fits: known laws come back, in any order, units and weights, and what cannot be fitted is refused."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from isoflop import BESIROGLU, SMALL, design, noisy

from novum.core.model.errors import StudyError
from novum.scaling.fit import fit, fit_power
from novum.scaling.huber_fit import fit_huber
from novum.scaling.law import PowerLaw, ScalingLaw
from novum.scaling.places import Noise, Places
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import Reading, TrainingRun, cells_of

LARGE = 1.75e22
FIVE = ("E", "A", "B", "alpha", "beta")


def besiroglu(spread, seed=0):
    return noisy(BESIROGLU, seed, spread, design(BESIROGLU, LARGE, budgets=9, span=1000.0))


def test_besiroglus_five_numbers_come_back_from_points_without_noise():
    assert asdict(fit(besiroglu(0.0)).law) == pytest.approx(asdict(BESIROGLU), rel=1e-6)
    assert asdict(fit_huber(besiroglu(0.0), resamples=2).law) == pytest.approx(asdict(BESIROGLU), rel=1e-3)


def test_besiroglus_five_numbers_lie_in_intervals_from_noisy_points():
    """99 % intervals, of 240 runs, so that the five hold together nearly always."""
    found = fit(besiroglu(0.005, seed=1), level=0.99)
    for name in FIVE:
        assert getattr(BESIROGLU, name) in found.intervals[name], name
    assert BESIROGLU.a in found.intervals["a"] and BESIROGLU.gamma in found.intervals["gamma"]
    assert found.intervals["a"].high - found.intervals["a"].low < 0.1


def test_the_huber_fit_holds_the_same_numbers():
    found = fit_huber(besiroglu(0.005, seed=1), level=0.99, resamples=200)
    for name in FIVE:
        assert getattr(BESIROGLU, name) in found.intervals[name], name


def test_the_huber_fit_bears_runs_that_went_wrong():
    runs = noisy(SMALL, 3, 0.002)
    bad = [replace(run, loss=run.loss * 1.5) if number % 15 == 0 else run for number, run in enumerate(runs)]
    assert abs(fit_huber(bad, resamples=2).law.E - SMALL.E) < 0.03
    assert abs(fit(bad).law.E - SMALL.E) > 0.05


def test_the_optimum_is_the_least_loss_of_all_splits():
    best = SMALL.optimum(1e12)
    sizes = best.parameters * np.geomspace(0.1, 10, 2001)
    losses = SMALL.loss(sizes, 1e12 / 6 / sizes)
    assert best.loss == pytest.approx(losses.min(), rel=1e-9)
    assert sizes[losses.argmin()] == pytest.approx(best.parameters, rel=2e-3)
    ratio = SMALL.optimum(1e14).parameters / best.parameters
    assert math.log(ratio, 100) == pytest.approx(SMALL.a)
    falls = (best.loss - SMALL.E) / (SMALL.optimum(1e14).loss - SMALL.E)
    assert math.log(falls, 100) == pytest.approx(SMALL.gamma)


def test_the_printed_law_of_hoffmann_has_its_printed_exponent():
    printed = ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28)
    assert printed.a == pytest.approx(0.45, abs=5e-3)
    best = printed.optimum(5.76e23)
    assert best.parameters * best.tokens * 6 == pytest.approx(5.76e23)


def test_the_order_of_runs_does_not_matter():
    runs = noisy(SMALL, 0)
    other = fit([runs[at] for at in np.random.default_rng(0).permutation(len(runs))])
    assert asdict(other.law) == pytest.approx(asdict(fit(runs).law), rel=1e-9)


def test_units_change_what_they_must_and_nothing_else():
    runs, base = noisy(SMALL, 0), fit(noisy(SMALL, 0))
    nats = fit([replace(run, loss=run.loss / math.log(2)) for run in runs])
    assert math.isclose(nats.law.E, base.law.E / math.log(2), rel_tol=1e-6)
    assert nats.intervals["alpha"].low == pytest.approx(base.intervals["alpha"].low, rel=1e-3)
    millions = fit([replace(run, parameters=run.parameters / 1e6) for run in runs])
    assert math.isclose(millions.law.A, base.law.A / 1e6**base.law.alpha, rel_tol=1e-5)
    assert (millions.law.E, millions.law.beta) == pytest.approx((base.law.E, base.law.beta), rel=1e-6)


def test_runs_that_are_known_to_be_worse_count_less():
    weighted, plain = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        runs = []
        for run in simulate(SMALL, design().cells, 0.0, rng):
            sd = 0.2 if run.parameters > 3e5 else 0.002
            runs.append(replace(run, loss=run.loss + sd * rng.standard_normal(), sd=sd))
        found = fit(runs)
        assert 0.6 < found.run_noise.of_mean(1) < 1.5
        weighted.append(abs(found.law.E - SMALL.E))
        plain.append(abs(fit([replace(run, sd=None) for run in runs]).law.E - SMALL.E))
    assert np.mean(weighted) < np.mean(plain) / 5


def test_the_noise_of_runs_is_estimated_with_what_a_cell_shares_apart():
    shared, own = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        runs = simulate(SMALL, design(repeats=3).cells, 0.01, rng, shared=0.5)
        found = fit(runs).run_noise
        shared.append(found.cell**2)
        own.append(found.run**2)
    assert np.mean(own) == pytest.approx(0.5e-4, rel=0.15)
    assert np.mean(shared) == pytest.approx(0.5e-4, rel=0.25)


@pytest.mark.slow
def test_a_law_of_another_shape_is_remarked_on_and_the_true_shape_rarely():
    rng = np.random.default_rng(0)
    cells = design(repeats=3).cells
    bent = [
        replace(run, loss=run.loss * (1 + 0.02 * math.sin(math.log(run.parameters))))
        for run in simulate(SMALL, cells, 0.002, rng)
    ]
    assert fit(bent).lack_of_fit.chance < 1e-3
    assert any("miss the law" in one for one in fit(bent).remarks)
    chances = [fit(simulate(SMALL, cells, 0.005, rng)).lack_of_fit.chance for _ in range(60)]
    assert sum(one < 0.1 for one in chances) <= 13  # 6 expected; 13 or more has a chance of .5 %
    assert 0.3 < np.mean(chances) < 0.7


def test_residuals_fitted_values_and_leverage_are_those_of_the_cells():
    found = fit(noisy(SMALL, 0))
    for cell, fitted, residual in zip(found.cells, found.fitted, found.residuals, strict=True):
        assert fitted == pytest.approx(float(found.law.loss(*cell.place)), rel=1e-9)
        assert cell.mean - fitted == pytest.approx(residual, abs=1e-12)
    assert sum(found.leverage) == pytest.approx(5)
    assert found.dof == len(found.cells) - 5


def test_one_variable_is_fitted_as_two_are():
    law, rng = PowerLaw(0.02, 3.0, 0.7), np.random.default_rng(0)
    places = np.geomspace(10, 1e4, 8)
    exact = fit_power([Reading(x, float(law.value(x))) for x in places])
    assert asdict(exact.law) == pytest.approx(asdict(law), rel=1e-5)
    found = fit_power(
        [Reading(x, float(law.value(x)) + 0.002 * rng.standard_normal()) for x in places for _ in range(3)], level=0.99
    )
    assert 0.02 in found.intervals["E"] and 0.7 in found.intervals["alpha"]


def test_a_share_of_errors_may_reach_zero():
    readings = [Reading(x, max(0.0, 3 * x**-1.0 - 0.002)) for x in (8.0, 16.0, 64.0, 256.0, 1024.0, 4096.0)]
    assert fit_power(readings).law.E == 0.0
    assert any("E may be zero" in one for one in fit_power(readings).remarks)


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([TrainingRun(1e3 * 2**n, 1e6, 3.0) for n in range(3)], "at least 6"),
        ([TrainingRun(1e3 * 2 ** (n % 2), 1e6 * 2**n, 3.0 / (n + 1)) for n in range(8)], "parameters: 2 different"),
        ([TrainingRun(1e3 * 2**n, 1e6 * 3 ** (n % 4), 3.0 + n) for n in range(8)], "do not fall with parameters"),
        ([TrainingRun(1e3 * 2**n, 1e6, 3.0, sd=0.1 if n else None) for n in range(8)], "sd: give every run"),
    ],
)
def test_runs_that_determine_no_law_are_refused_with_what_is_missing(runs, words):
    with pytest.raises(StudyError, match=words):
        fit(runs)


def test_impossible_runs_and_levels_are_refused():
    for bad in ((0, 1, 1), (1, -1, 1), (1, 1, math.nan), (1, 1, 0)):
        with pytest.raises(StudyError, match="above zero"):
            TrainingRun(*bad)
    with pytest.raises(StudyError, match="level"):
        fit(noisy(SMALL, 0), level=1.0)
    with pytest.raises(StudyError, match="A or B is zero"):
        ScalingLaw(1, 0, 1, 0.3, 0.3).optimum(1e12)
    with pytest.raises(StudyError, match="finite E, A, B"):
        ScalingLaw(1, 1, 1, 0.3, 0.0)


def test_weights_follow_fitted_values_and_not_the_measured_ones():
    """Two runs of one place, one of them high: both have the same weight in relative noise."""
    cells = cells_of(noisy(SMALL, 0, 0.05))
    rows, best = Places.of(cells).solved(np.array([[cell.mean for cell in cells]]), Noise.RELATIVE)
    fitted = rows.response[0] - best.residuals[0] / rows.weight[0]
    assert rows.weight[0] * fitted / math.sqrt(2) == pytest.approx(1.0, abs=0.01)
