"""Early readings end runs only where they foretell final scores, and rarely the best run."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from novum.core.model.run_progress import POINTS, Look, reading_from
from novum.core.state.learning_curves import LearningCurves, ScreenedRun, rank_correlation
from novum.text.format import thinned

USUAL = 10.0


def run(early: float, score: float | None, *, free: bool = True, seconds: float = USUAL) -> ScreenedRun:
    return ScreenedRun(((1.0, early), (2.4, early), (4.9, early)), seconds, score, free)


def known(pairs, **more) -> LearningCurves:
    curves = LearningCurves()
    for number, (early, score) in enumerate(pairs):
        curves.add(f"c{number}", run(early, score, **more), USUAL)
    return curves


values = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30)


@given(values)
def test_the_rank_correlation_is_spearmans(pairs):
    first, second = zip(*pairs, strict=True)
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert rank_correlation(pairs) == 0.0
    else:
        assert rank_correlation(pairs) == pytest.approx(spearmanr(first, second).statistic)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_direction_of_progress_is_learned(sign):
    looks = known([(sign * value, value) for value in range(9)]).looks(USUAL, 3)
    assert [look.seconds for look in looks] == [0.9, pytest.approx(2.16)]
    ended = [value for value in range(9) if looks[0].ends(run(sign * value, value).curve) is not None]
    assert ended == [0, 1, 2, 3, 4, 5], "the best third goes on"


def test_readings_that_foretell_nothing_end_nothing():
    rng = random.Random(1)
    assert not known([(rng.random(), rng.random()) for _ in range(40)]).looks(USUAL, 3)
    assert not known([(1.0, float(value)) for value in range(40)]).looks(USUAL, 3)


def test_only_runs_that_nothing_could_end_say_what_readings_are_worth():
    pairs = [(float(value), float(value)) for value in range(9)]
    assert not known(pairs, free=False).looks(USUAL, 3)
    assert not known(pairs[:7]).looks(USUAL, 3), "too few"
    assert not known(pairs).looks(0.5, 3), "too short"
    assert not known(pairs).looks(USUAL, 0), "turned off"


def test_the_best_candidate_survives_as_a_rule():
    """Rank correlation .9 between readings and scores: the best of 30 is ended in less than one campaign in ten."""
    rng, lost = random.Random(0), 0
    for _ in range(200):
        curves, best, survived = LearningCurves(), -9.0, True
        for number in range(30):
            score = rng.gauss(0, 1)
            early = score + rng.gauss(0, 0.45)
            looks = () if number % 5 == 0 else curves.looks(USUAL, 3)
            ended = any(look.ends(run(early, score).curve) is not None for look in looks)
            curves.add(f"c{number}", run(early, None if ended else score, free=not looks), USUAL)
            if score > best:
                best, survived = score, not ended
        lost += not survived
    assert lost < 20


def test_what_is_ended_is_counted():
    curves = LearningCurves()
    curves.add("c1", run(1.0, None, free=False, seconds=2.5), USUAL)
    assert (curves.ended, curves.saved_seconds) == (1, 7.5)


def test_a_reading_is_the_mean_of_the_latest_ones():
    curve = ((1.0, 9.0), (2.0, 4.0), (2.9, 2.0), (3.5, 0.0))
    assert reading_from(curve, 2.5) == 3.0
    assert reading_from(curve, 4.0) is None
    assert Look(2.5, 2.5, True).ends(curve) == 3.0
    assert Look(2.5, 2.5, False).ends(curve) is None
    assert not Look(3.6, 0.0, True).is_due(curve)


@given(st.integers(0, 500))
def test_thinning_keeps_both_ends(count):
    curve = [(float(at), 0.0) for at in range(count)]
    kept = thinned(curve, POINTS)
    assert len(kept) <= POINTS and (not curve or (kept[0], kept[-1]) == (curve[0], curve[-1]))
