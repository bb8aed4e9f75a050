"""What a claim is about: the mean, losses in full, or the typical gain; and the test that needs no block of runs."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import confirm, rule

from novum.core.model.study import GateSettings
from novum.core.model.verdict import Estimand, Pair, Verdict
from novum.gate import eprocess, scale_free, symmetric
from novum.gate.eprocess import Bound
from novum.gate.judge import BettingGate, difference

SETTINGS = GateSettings(planned=20)
GATE = BettingGate(SETTINGS)
TYPICAL = rule(SETTINGS, stake=0.05, sigma=1.0)
differences = st.lists(st.floats(-50, 50), min_size=1, max_size=40)


def of_the_mean(bound: float, pairs: int = 90):
    return replace(TYPICAL, claim=Estimand.MEAN, loss=bound / TYPICAL.scale, floor=0.0, max_pairs=pairs)


def gambler(rng, size=10.0, share=0.05):
    """Mean zero: a loss of `size` in a share of runs."""
    return -size if rng.random() < share else share * size / (1 - share) + rng.gauss(0, 1)


@given(differences, st.floats(1, 30), st.floats(0.01, 10))
def test_every_factor_is_positive_however_large_a_loss(values, loss, scale):
    assert all(e > 0 for e in eprocess.path(values, Bound(0.0, scale, loss)))


@given(differences, st.floats(0.01, 10))
def test_a_loss_side_of_one_is_the_symmetric_clip(values, scale):
    assert list(eprocess.path(values, Bound(0.0, scale, 1.0))) == list(eprocess.path(values, Bound(0.0, scale)))


@pytest.mark.parametrize(("size", "share"), [(6.0, 0.05), (10.0, 0.05), (10.0, 0.1)])
def test_the_expected_evidence_of_a_gambler_is_at_most_one_for_a_claim_of_the_mean(size, share):
    rng, n, total, squares = random.Random(8), 4000, 0.0, 0.0
    for _ in range(n):
        *_, e = eprocess.path([gambler(rng, size, share) for _ in range(20)], Bound(0.0, 2.0, size / 2.0))
        e = min(e, 50.0)
        total, squares = total + e, squares + e * e
    mean = total / n
    assert mean <= 1 + 4 * math.sqrt((squares / n - mean * mean) / n)


def test_a_gambler_passes_for_typical_and_not_for_the_mean():
    rng, n = random.Random(9), 150
    loose = replace(TYPICAL, floor=0.0)
    found = sum(confirm(GATE, loose, 0, lambda: Pair(gambler(rng), 0.0)).verdict is Verdict.SUPPORTED for _ in range(n))
    held = sum(
        confirm(GATE, of_the_mean(10.0), 0, lambda: Pair(gambler(rng), 0.0)).verdict is Verdict.SUPPORTED
        for _ in range(n)
    )
    assert found / n > 0.05
    assert held == 0


def test_an_honest_gain_passes_for_both():
    rng, n = random.Random(10), 40
    for one, least in ((TYPICAL, 0.9), (of_the_mean(6.0, 60), 0.9)):
        ends = [confirm(GATE, one, 0, lambda: Pair(rng.gauss(2, 1), 0.0)).verdict for _ in range(n)]
        assert ends.count(Verdict.SUPPORTED) / n >= least


def test_a_loss_beyond_the_floor_withholds_a_typical_gain():
    wins = [Pair(3.0, 0.0)] * 12
    assert GATE.judge(TYPICAL, wins, 0, 0).verdict is Verdict.SUPPORTED
    lost = GATE.judge(TYPICAL, [Pair(-4.5, 0.0), *[Pair(3.0, 0.0)] * 29], 0, 0)
    assert lost.verdict is Verdict.INCONCLUSIVE
    assert "4.5 sd" in lost.reason
    assert GATE.judge(TYPICAL, [Pair(-3.9, 0.0), *[Pair(3.0, 0.0)] * 29], 0, 0).verdict is Verdict.SUPPORTED


def test_a_failed_run_counts_as_the_largest_loss_of_the_claim():
    assert difference(Pair(None, 0.0), of_the_mean(10.0)) == -10.0
    assert difference(Pair(None, 0.0), TYPICAL) == -2.0


GOLDEN_D = (0.4, 1.2, -0.3, 0.9, 2.5, 0.0, -1.1, 1.7)


def test_golden_values_of_the_scale_free_process():
    """From a second implementation, in plain sums, of the formula in the module's docstring."""
    for n in range(1, len(GOLDEN_D) + 1):
        total = 0.0
        for g in (0.5, 1.0, 2.0, 4.0):
            product = 1.0
            for i in range(1, n + 1):
                s = math.sqrt((2 * 0.8**2 + sum(d * d for d in GOLDEN_D[:i])) / (i + 2))
                product *= 1 + math.tanh(g * GOLDEN_D[i - 1] / s)
            total += product / 4
        path = list(scale_free.path(GOLDEN_D, Bound(0.0, 1.6, sigma=0.8)))
        assert path[n - 1] == pytest.approx(total, rel=1e-12)


@given(differences, st.floats(0.01, 100))
def test_the_scale_free_process_has_no_unit(values, unit):
    plain = list(scale_free.path(values, Bound(0.0, 2.0, sigma=1.0)))
    scaled = list(scale_free.path([d * unit for d in values], Bound(0.0, 2.0, sigma=unit)))
    assert scaled == pytest.approx(plain, rel=1e-6)


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=8))
def test_over_all_signs_of_the_same_sizes_the_scale_free_evidence_is_one(sizes):
    """The e-process property itself: given the sizes, every sign is as likely as the other."""
    total = 0.0
    for signs in range(2 ** len(sizes)):
        values = [size if signs >> i & 1 else -size for i, size in enumerate(sizes)]
        *_, e = scale_free.path(values, Bound(0.0, 2.0, sigma=1.0))
        total += e
    assert total / 2 ** len(sizes) == pytest.approx(1.0, rel=1e-9)


def test_ties_for_ever_are_no_evidence():
    for process in (eprocess.path, symmetric.path, scale_free.path):
        assert max(process([0.0] * 30, Bound(0.0, 2.0))) <= 1.0
