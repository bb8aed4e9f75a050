"""Tails: what is told of a finding's losses, and what its later runs refute."""

from __future__ import annotations

import random

import pytest
from streams import rule

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Pair
from novum.gate.tail import TailWatch, tail

SETTINGS = GateSettings(planned=20)
RULE = rule(SETTINGS, stake=0.05, sigma=1.0)
WATCH = TailWatch(SETTINGS)
HALF = 0.5**0.5


def test_losses_are_counted_and_what_is_excluded_follows_from_how_many_were_looked_at():
    seen = tail(RULE, [Pair(1.0, 0.0)] * 19 + [Pair(-5.0, 0.0)])
    assert (seen.worst, seen.beyond, seen.pairs) == (5.0, 1, 20)
    assert tail(RULE, [Pair(1.0, 0.0)] * 20).excluded == pytest.approx(1 - 0.05 ** (1 / 20))
    assert seen.excluded == pytest.approx(0.2161, abs=1e-3)  # Clopper and Pearson, 1 of 20
    failed = tail(RULE, [Pair(None, 0.0)] * 2)
    assert (failed.worst, failed.beyond, failed.excluded) == (None, 2, 1.0)
    assert tail(RULE, []) is None


def runs(rng, mean, count, loses=0.0):
    """Scores of single runs over a level of 0; a loss of 10 in a share of them, the mean being `mean` all the same."""
    usual = (mean + 10 * loses) / (1 - loses)
    return [-10.0 if rng.random() < loses else rng.gauss(usual, HALF) for _ in range(count)]


def refuted(rng, claimed, mean, loses, count=200):
    levels, scores = runs(rng, 0.0, 30), runs(rng, mean, count, loses)
    return any(WATCH.watch(RULE, claimed, levels, scores[:n]).refuted for n in range(8, count + 1, 8))


def test_a_true_gain_is_kept():
    rng, n = random.Random(1), 60
    assert sum(refuted(rng, 1.0, 1.0, 0.0) for _ in range(n)) / n <= 0.05


def test_a_gambler_without_a_mean_gain_is_refuted():
    rng, n = random.Random(2), 60
    assert sum(refuted(rng, 0.5, 0.0, 0.05) for _ in range(n)) / n >= 0.8


def test_a_gain_that_is_not_there_is_refuted_without_any_large_loss():
    rng, n = random.Random(3), 30
    assert sum(refuted(rng, 1.0, 0.0, 0.0) for _ in range(n)) / n >= 0.8


def test_rare_losses_that_the_gain_outweighs_are_kept_more_often_than_not():
    rng, n = random.Random(4), 40
    assert sum(refuted(rng, 1.5, 1.5, 0.02) for _ in range(n)) / n <= 0.2


def test_failed_runs_are_losses():
    assert WATCH.watch(RULE, 1.0, [0.0, 0.1, -0.1, 0.2], [1.0] * 6 + [None, None]).losses == 2
