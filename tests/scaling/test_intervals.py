"""Intervals hold the truth as often as they say: small versions of benchmarks/scaling_coverage.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from isoflop import SMALL, design, noisy

from novum.core.model.errors import StudyError
from novum.scaling.bootstrap import Resampling, percentiles, refits, resampled
from novum.scaling.fit import fit
from novum.scaling.joint_region import held_excess, joint_region
from novum.scaling.parameter_intervals import parameter_intervals
from novum.scaling.places import Noise, Places
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import TrainingRun, cells_of

REFITS = 400
LEVEL = 0.9


def covered(spread, **noise):
    """Over REFITS refits of one design: the share of 90 % intervals that hold the truth, by name."""
    planned, rng = design(**noise.pop("options", {})), np.random.default_rng(0)
    runs = [simulate(SMALL, planned.cells, spread, rng, **noise) for _ in range(REFITS)]
    places = Places.of(cells_of(runs[0]))
    means = np.array([[cell.mean for cell in cells_of(one)] for one in runs])
    found = parameter_intervals(places, *places.solved(means, Noise.RELATIVE), LEVEL)
    truth = {name: getattr(SMALL, name) for name in found}
    return {name: float(np.mean((low <= truth[name]) & (truth[name] <= high))) for name, (low, high) in found.items()}


@pytest.mark.parametrize(
    "setting",
    [
        {"spread": 0.002},
        {"spread": 0.01},
        {"spread": 0.005, "shared": 0.5},
        {"spread": 0.005, "decline": 0.2},
        {"spread": 0.02, "options": {"budgets": 3, "sizes": 4, "repeats": 1}},
    ],
    ids=lambda one: " ".join(one),
)
def test_intervals_of_90_percent_hold_the_truth_in_85_to_95_of_100_refits(setting):
    shares = covered(**setting)
    assert set(shares) == {"E", "A", "B", "alpha", "beta", "a", "gamma"}
    for name, share in shares.items():
        assert 0.85 <= share <= 0.955, (name, shares)


def test_resampling_runs_within_cells_loses_half_of_the_variance_and_whole_cells_do_not():
    wide, narrow = [], []
    for seed in range(12):
        found = fit(noisy(SMALL, seed))
        by = {
            kind: percentiles(found.places, refits(found, kind, 300, seed), LEVEL)["alpha"]
            for kind in (Resampling.CELLS, Resampling.RUNS)
        }
        wide.append(by[Resampling.CELLS].high - by[Resampling.CELLS].low)
        narrow.append(by[Resampling.RUNS].high - by[Resampling.RUNS].low)
    assert np.mean(narrow) / np.mean(wide) == pytest.approx(0.5**0.5, abs=0.12)


def test_bootstrap_intervals_agree_with_the_shipped_ones():
    found = fit(noisy(SMALL, 4))
    shipped = found.intervals["E"].high - found.intervals["E"].low
    for kind in (Resampling.CELLS, Resampling.RESIDUALS):
        one = percentiles(found.places, refits(found, kind, 600), LEVEL)["E"]
        assert (one.high - one.low) / shipped == pytest.approx(1, abs=0.35)


def test_resamples_take_from_what_is_there():
    found = fit(noisy(SMALL, 4))
    drawn = resampled(found, Resampling.RUNS, 50, 0)
    lowest = np.array([min(cell.values) for cell in found.cells])
    highest = np.array([max(cell.values) for cell in found.cells])
    assert ((drawn.response >= lowest - 1e-12) & (drawn.response <= highest + 1e-12)).all()
    counts = (resampled(found, Resampling.CELLS, 50, 0).weight / found.rows.weight) ** 2
    assert counts.sum(axis=1) == pytest.approx(len(found.cells))
    single = fit([TrainingRun(*cell.place, cell.mean) for cell in found.cells])
    with pytest.raises(StudyError, match="nothing to resample"):
        refits(single, Resampling.RUNS)


@pytest.mark.slow
def test_the_joint_region_of_floor_and_exponent_holds_both_as_often_as_it_says():
    inside = 0
    for seed in range(80):
        found = fit(noisy(SMALL, seed, 0.01))
        inside += held_excess(found, np.array([SMALL.E]), np.array([SMALL.alpha]))[0] <= 1
    assert 0.82 <= inside / 80 <= 0.98


def test_the_joint_region_is_within_its_grid_and_shows_the_trade_off():
    found = fit(noisy(SMALL, 1))
    region = joint_region(found, 21)
    inside = region.inside
    assert inside.any() and not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())
    floors, exponents = np.meshgrid(region.E, region.alpha, indexing="ij")
    assert np.corrcoef(floors[inside], exponents[inside])[0, 1] > 0.5
    assert held_excess(found, np.array([found.law.E]), np.array([found.law.alpha]))[0] == pytest.approx(0, abs=1e-3)


def test_intervals_end_where_a_number_cannot_go():
    """With noise of 10 % a floor is not shown: E from zero, and said so."""
    found = fit(noisy(SMALL, 3, 0.1, design(budgets=3, sizes=4, repeats=1)))
    assert found.intervals["E"].low == 0
    assert any("E may be zero" in one for one in found.remarks)
    alpha, amount = found.intervals["alpha"], found.intervals["A"]
    assert (alpha.low, alpha.high, amount.low, amount.high) == (0.0, math.inf, 0.0, math.inf)
    assert any("alpha is not bounded" in one for one in found.remarks)
    for name, one in found.intervals.items():
        assert 0 <= one.low <= getattr(found.law, name) <= one.high <= math.inf, name
