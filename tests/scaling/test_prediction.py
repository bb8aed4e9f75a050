"""Predictions at compute that no run had: close, and inside their interval as often as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from isoflop import BESIROGLU, SMALL, design, noisy

from novum.core.model.errors import StudyError
from novum.scaling.fit import fit, fit_power
from novum.scaling.law import PowerLaw, ScalingLaw
from novum.scaling.prediction import judge, predict, predict_value
from novum.scaling.simulate import simulate
from novum.scaling.training_runs import Reading


@pytest.mark.slow
@pytest.mark.parametrize(("law", "budget"), [(SMALL, 1.75e14), (BESIROGLU, 1.75e22)], ids=["small", "large"])
def test_the_loss_at_ten_times_the_compute_is_predicted_within_two_percent(law, budget):
    """Noise of half a percent; the run that is predicted has it too."""
    planned = design(law, budget)
    errors, inside = [], 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = fit(simulate(law, planned.cells, 0.005, rng))
        (run,) = simulate(law, [planned.held_out], 0.005, rng)
        prediction = predict(found, run.parameters, run.tokens)
        verdict = judge(prediction, run.loss)
        assert prediction.reach == pytest.approx(10, rel=0.01)
        errors.append(abs(verdict.relative_error))
        inside += verdict.inside
    assert np.quantile(errors, 0.98) < 0.02
    assert 0.8 <= inside / 60 <= 0.98


def test_a_law_that_bends_beyond_the_design_is_caught():
    """At ten times the compute the floor is suddenly twice as high."""
    prediction = predict(fit(noisy(SMALL, 0)), 8e5, 2e7)
    bent = replace(SMALL, E=2.4).loss(8e5, 2e7)
    verdict = judge(prediction, float(bent))
    assert not verdict.inside and verdict.relative_error < -0.2
    assert "outside of" in verdict.sentence


def test_the_interval_of_a_run_is_wider_than_that_of_the_law_and_narrows_with_repeats():
    found = fit(noisy(SMALL, 0, 0.01))
    one, many = predict(found, 8e5, 2e7), predict(found, 8e5, 2e7, repeats=100)
    assert one.mean == many.mean
    assert one.run.low < many.run.low < many.mean.low <= one.value <= many.mean.high < many.run.high < one.run.high
    certain = predict(found, 8e5, 2e7, level=0.99)
    assert certain.run.low < one.run.low and certain.run.high > one.run.high
    near, far = predict(found, 1e5, 3e6), predict(found, 1e7, 3e8)
    assert near.mean.high - near.mean.low < far.mean.high - far.mean.low


def test_repeats_do_not_average_out_what_was_never_seen_to_differ_between_runs_of_a_cell():
    runs = noisy(SMALL, 0, 0.01, design(repeats=1))
    found = fit(runs)
    assert predict(found, 8e5, 2e7, repeats=9).run == predict(found, 8e5, 2e7).run


def test_a_prediction_says_what_was_measured():
    verdict = judge(predict(fit(noisy(SMALL, 0)), 8e5, 2e7), 1.8)
    assert verdict.relative_error == pytest.approx(verdict.prediction.value / 1.8 - 1)
    assert "measured 1.8" in verdict.sentence
    assert "90 % of such cases" in verdict.prediction.sentence


def test_one_variable_is_predicted_too():
    law = PowerLaw(0.1, 3.0, 0.5)
    rng = np.random.default_rng(0)
    found = fit_power(
        [Reading(x, float(law.value(x)) + 0.002 * rng.standard_normal()) for x in np.geomspace(9, 9e3, 9)]
    )
    assert float(law.value(9e4)) in predict_value(found, 9e4, level=0.99).mean


def test_bad_questions_are_refused():
    found = fit(noisy(SMALL, 0))
    with pytest.raises(StudyError, match="above zero"):
        predict(found, 0, 1e6)
    with pytest.raises(StudyError, match="sd: give"):
        predict(found, 1e5, 1e6, sd=0.1)
    with pytest.raises(StudyError, match="measured"):
        judge(predict(found, 1e5, 1e6), 0.0)
    weighted = fit([replace(run, sd=0.01) for run in noisy(SMALL, 0)])
    with pytest.raises(StudyError, match="sd: give"):
        predict(weighted, 1e5, 1e6)
    assert predict(weighted, 8e5, 2e7, sd=0.04).run.high > predict(weighted, 8e5, 2e7, sd=0.01).run.high


def test_a_prediction_without_noise_is_the_law():
    found = fit(noisy(SMALL, 0, 0.0))
    best = ScalingLaw(*(getattr(found.law, name) for name in ("E", "A", "B", "alpha", "beta"))).optimum(1e14)
    assert predict(found, best.parameters, best.tokens).value == pytest.approx(SMALL.optimum(1e14).loss, rel=1e-6)
