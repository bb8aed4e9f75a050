"""Comparisons: what is equal is rarely called better, what differs is found, and no more is said than is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from isoflop import SMALL, design, noisy

from novum.core.model.errors import StudyError
from novum.scaling.compare import LOSS, compare
from novum.scaling.fit import fit
from novum.scaling.interval import Interval
from novum.scaling.law import ScalingLaw
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import TrainingRun

STEEPER = replace(SMALL, A=SMALL.A * 1e4**0.05, alpha=SMALL.alpha + 0.05)
"""The loss of SMALL at 10,000 parameters, and less with more of them."""
CELLS = design().cells


def pair(first, second, seed, spread=0.005, common=0.0):
    """Fits of two laws on the same cells; `common`: the share of the variance that runs of one place and seed share."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(sum(cell.repeats for cell in CELLS))
    fits = []
    for law in (first, second):
        exact = simulate(law, CELLS, 0.0, rng)
        noise = spread * (common**0.5 * shared + (1 - common) ** 0.5 * rng.standard_normal(len(exact)))
        fits.append(fit([replace(run, loss=run.loss * (1 + e)) for run, e in zip(exact, noise.tolist(), strict=True)]))
    return fits


@pytest.mark.slow
def test_of_two_equal_laws_neither_is_called_better_more_often_than_the_level_allows():
    """200 comparisons, both directions of each; 10 % and two Monte-Carlo standard errors at most."""
    either = faster = lower = 0
    for seed in range(200):
        found = compare(*pair(SMALL, SMALL, seed, common=0.5 * (seed % 2)))
        gamma, loss = found.differences["gamma"].interval, found.differences[LOSS].interval
        either += found.scales_better or (gamma.high < 0 and loss.low > 0)
        faster += gamma.excludes_zero
        lower += loss.excludes_zero
    bound = 200 * (0.1 + 2 * (0.1 * 0.9 / 200) ** 0.5)
    assert either <= 0.1 * 200
    assert faster <= bound and lower <= bound


@pytest.mark.slow
def test_different_exponents_are_mostly_found_and_never_the_wrong_way_round():
    found = [compare(*pair(STEEPER, SMALL, seed)) for seed in range(30)]
    assert sum(one.scales_better for one in found) >= 24
    assert not any(compare(*pair(SMALL, STEEPER, seed)).scales_better for seed in range(10))
    assert "scales better than" in next(one for one in found if one.scales_better).sentence


@pytest.mark.slow
def test_pairs_that_share_noise_are_compared_more_sharply():
    widths = []
    for common in (0.0, 0.8):
        found = [compare(*pair(STEEPER, SMALL, seed, common=common)).differences["gamma"] for seed in range(12)]
        widths.append(np.mean([one.interval.high - one.interval.low for one in found]))
    assert widths[1] < 0.65 * widths[0]


@pytest.mark.slow
def test_a_constant_advantage_is_a_lower_loss_and_not_better_scaling():
    lower = replace(SMALL, E=SMALL.E - 0.1)
    found = [compare(*pair(lower, SMALL, seed), names=("gated", "plain")) for seed in range(20)]
    assert all(one.lower_loss for one in found)
    assert sum(one.scales_better for one in found) <= 4
    said = next(one for one in found if not one.scales_better).sentence
    assert "gated has a lower loss than plain" in said and "that it scales better is not shown" in said


def test_a_larger_exponent_with_a_higher_loss_is_not_better_scaling():
    """The floor of the first is so much higher that its loss is, up to the largest compute."""
    steep = ScalingLaw(E=1.7, A=33.0 * 1e4**0.15, B=127.0 * 1e6**0.1, alpha=0.5, beta=0.47)
    found = compare(*pair(steep, SMALL, 0))
    assert found.falls_faster and not found.lower_loss and not found.scales_better
    assert "is not shown" in found.sentence


def test_where_nothing_is_shown_that_is_said():
    found = compare(*pair(SMALL, SMALL, 3))
    assert found.sentence.startswith("it is not shown that the first scales better than the second (exponent")


def test_a_comparison_the_other_way_round_is_its_mirror():
    first, second = pair(STEEPER, SMALL, 0)
    one, other = compare(first, second), compare(second, first)
    for name, difference in one.differences.items():
        assert difference.value == pytest.approx(-other.differences[name].value)
        assert difference.interval.low == pytest.approx(-other.differences[name].interval.high)
    assert one.paired and one.compute == max(cell.compute for cell in CELLS)


def test_different_cells_are_compared_unpaired_at_compute_that_both_have():
    cells = design(budget=1e14).cells
    found = compare(fit(noisy(SMALL, 0)), fit(simulate(STEEPER, cells, 0.005, np.random.default_rng(0))))
    assert not found.paired
    assert found.compute == max(cell.compute for cell in cells) < max(cell.compute for cell in CELLS)


def test_the_difference_of_losses_is_that_of_the_laws():
    first, second = pair(STEEPER, SMALL, 0)
    found = compare(first, second, compute=3e13)
    expected = first.law.optimum(3e13).loss - second.law.optimum(3e13).loss
    assert found.differences[LOSS].value == pytest.approx(expected, rel=1e-9)
    assert found.differences["gamma"].value == pytest.approx(first.law.gamma - second.law.gamma, rel=1e-9)


def test_fits_at_two_levels_are_not_compared():
    runs: list[TrainingRun] = noisy(SMALL, 0)
    with pytest.raises(StudyError, match="same level"):
        compare(fit(runs), fit(runs, level=0.8))


@pytest.mark.parametrize("alike", [True, False])
def test_where_an_exponent_has_no_bound_its_difference_has_none(alike):
    """Neither with cells in common, where a correlation is taken off, nor without."""
    first = fit(noisy(SMALL, 0))
    second = fit(noisy(SMALL, 1, planned=design() if alike else design(budget=3e14)))
    unbounded = [
        replace(one, intervals={**one.intervals, "gamma": Interval(0.0, np.inf, one.level)}) for one in (first, second)
    ]
    found = compare(unbounded[0], unbounded[1])
    gamma = found.differences["gamma"].interval
    assert found.paired is alike
    assert gamma.high == np.inf and gamma.low == -np.inf
    assert not found.falls_faster
    assert compare(unbounded[0], second).differences["gamma"].interval.high == np.inf
