"""Parabolas on IsoFLOP curves are biased on data without noise, where variable projection is not (arXiv 2603.22339)."""

from __future__ import annotations

import numpy as np
import pytest
from isoflop import BUDGET, SMALL, design, noisy

from novum.core.model.errors import StudyError
from novum.scaling.approach2 import fit_parabolas
from novum.scaling.design import DesignOptions, plan
from novum.scaling.fit import fit
from novum.scaling.law import ScalingLaw
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import TrainingRun

UNEQUAL = ScalingLaw(1.69, 406.4, 406.4, 0.5, 0.25)
EQUAL = ScalingLaw(1.69, 406.4, 406.4, 0.35, 0.35)
COMPUTE = 1e13


def exact(law, width, guess):
    """Runs without noise, sizes centred on the optimum of a guessed law."""
    planned = plan(BUDGET, DesignOptions(repeats=1, width=width, fewest_parameters=1, fewest_tokens=1), guess)
    return simulate(law, planned.cells, 0.0, np.random.default_rng(0))


def size_error(fitted, law):
    """Of the size that is called best for COMPUTE, relative to the size that is."""
    return fitted / law.optimum(COMPUTE).parameters - 1


def test_with_unequal_exponents_the_best_size_is_off_and_the_more_the_wider_the_sizes():
    errors = []
    for width in (4.0, 32.0, 256.0):
        runs = exact(UNEQUAL, width, UNEQUAL)
        errors.append(size_error(fit_parabolas(runs).parameters(COMPUTE), UNEQUAL))
        assert size_error(fit(runs).law.optimum(COMPUTE).parameters, UNEQUAL) == pytest.approx(0, abs=1e-6)
    assert 0.005 < errors[0] < errors[1] < errors[2]
    assert errors[1] > 0.08


def test_where_the_centre_drifts_off_the_optimum_the_exponent_is_off():
    """From .44 to 1.7 times the best size, which is within the sizes of every budget."""
    runs = exact(UNEQUAL, 32.0, ScalingLaw(1.69, 30.0, 4e3, 0.3, 0.5))
    assert fit_parabolas(runs).a - UNEQUAL.a > 0.01
    assert fit(runs).law.a == pytest.approx(UNEQUAL.a, abs=1e-6)


def test_with_equal_exponents_and_centred_sizes_nothing_is_off():
    runs = exact(EQUAL, 32.0, EQUAL)
    found = fit_parabolas(runs)
    assert found.a == pytest.approx(EQUAL.a, abs=1e-4)
    assert size_error(found.parameters(COMPUTE), EQUAL) == pytest.approx(0, abs=1e-3)
    off_centre = exact(EQUAL, 32.0, ScalingLaw(1.69, 406.4, 406.4 * 9, 0.35, 0.35))
    assert abs(size_error(fit_parabolas(off_centre).parameters(COMPUTE), EQUAL)) > 0.02


def test_with_noise_both_find_the_exponent_of_a_law_with_nearly_equal_ones():
    runs = noisy(SMALL, 0, 0.002)
    assert fit_parabolas(runs).a == pytest.approx(SMALL.a, abs=0.04)
    assert len(fit_parabolas(runs).parabolas) == 5


def test_what_has_no_parabola_is_refused():
    runs = exact(SMALL, 32.0, SMALL)
    with pytest.raises(StudyError, match="two or more"):
        fit_parabolas(runs[:6])
    with pytest.raises(StudyError, match="three or more"):
        fit_parabolas([*runs[:6], *runs[6:8]])
    falling = [TrainingRun(run.parameters, run.tokens, 3 - 0.1 * n % 6) for n, run in enumerate(runs)]
    with pytest.raises(StudyError, match="no minimum"):
        fit_parabolas(falling)


def test_runs_are_of_one_budget_although_their_tokens_were_rounded():
    planned = design(fewest_tokens=1)
    assert len({cell.compute for cell in planned.cells}) > 5
    assert len(fit_parabolas(simulate(SMALL, planned.cells, 0.0, np.random.default_rng(0))).parabolas) == 5
