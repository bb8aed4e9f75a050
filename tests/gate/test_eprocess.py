from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.gate import eprocess, symmetric
from novum.gate.eprocess import Bound

GOLDEN_D = [0.8, 1.1, -0.2, 0.9, 1.4, 0.3, 2.5, 0.7, -0.5, 1.0]
GOLDEN_E = [1.12, 1.6744, 1.5237, 2.1408, 3.4895, 3.9606, 7.5251, 9.8955, 7.669, 11.1201]

differences = st.lists(st.floats(-1e6, 1e6), max_size=40)


def test_golden_vector_of_the_specification():
    assert [round(e, 4) for e in eprocess.path(GOLDEN_D, Bound(0.0, 2.0))] == GOLDEN_E


@given(differences, differences, st.floats(0, 10), st.floats(0.01, 100))
def test_the_future_never_changes_the_past(past, future, delta, scale):
    alone = list(eprocess.path(past, Bound(delta, scale)))
    assert list(eprocess.path(past + future, Bound(delta, scale)))[: len(past)] == alone


@given(differences, st.floats(0, 10), st.floats(0.01, 100))
def test_e_is_never_negative_and_bounded_by_the_largest_bet(values, delta, scale):
    for n, e in enumerate(eprocess.path(values, Bound(delta, scale)), start=1):
        assert 0 <= e <= 1.3 * 1.9 ** (n - 1) * (1 + 1e-9)


@given(st.integers(0, 60))
def test_a_candidate_that_changes_nothing_earns_nothing(n):
    assert list(eprocess.path([0.0] * n, Bound(0.0, 1.0))) == [1.0] * n


@given(differences, st.floats(-5, 5), st.floats(0.01, 100))
def test_the_mirror_is_the_process_of_the_reflected_differences(values, bound, scale):
    assert list(eprocess.mirrored(values, Bound(bound, scale))) == list(
        eprocess.path([-d for d in values], Bound(-bound, scale))
    )


@given(st.floats(0.01, 1e3), differences, st.floats(0.01, 10))
def test_units_do_not_matter(unit, values, scale):
    plain = list(eprocess.path(values, Bound(0.0, scale)))
    scaled = list(eprocess.path([d * unit for d in values], Bound(0.0, scale * unit)))
    assert scaled == pytest.approx(plain, rel=1e-6)


@pytest.mark.slow
def test_the_expected_value_under_the_null_is_one():
    rng = random.Random(11)
    n = 100_000
    ends = []
    for _ in range(n):
        *_, last = eprocess.path([rng.gauss(0, 1) for _ in range(10)], Bound(0.0, 3.0))
        ends.append(last)
    mean = math.fsum(ends) / n
    error = math.sqrt(math.fsum((e - mean) ** 2 for e in ends) / n / (n - 1))
    assert abs(mean - 1.0) < max(0.002, 4 * error)


@pytest.mark.slow
def test_the_chance_of_ever_passing_twenty_under_the_null_is_small():
    rng = random.Random(12)
    streams = 20_000
    passed = sum(
        max(eprocess.path([rng.gauss(0, 1) for _ in range(60)], Bound(0.0, 2.0))) >= 20 for _ in range(streams)
    )
    assert passed / streams == pytest.approx(0.022, abs=4 * math.sqrt(0.022 * 0.978 / streams))


def test_growth_is_what_futility_needs():
    assert eprocess.growth(-3.0) == eprocess.growth(0.0) == 0.0
    assert eprocess.growth(0.1) < eprocess.growth(1.0) < eprocess.growth(10.0) <= math.log(2)


GOLDEN_SYMMETRIC = [1.6864, 2.9788, 1.7719, 3.0235, 5.4842, 7.838, 15.034, 24.9959, 9.7401, 16.4255]


def test_golden_vector_of_the_symmetric_process():
    assert [round(e, 4) for e in symmetric.path(GOLDEN_D, Bound(0.0, 2.0))] == GOLDEN_SYMMETRIC


@given(differences, st.floats(0.01, 1e3), st.floats(0.01, 100))
def test_the_symmetric_process_needs_no_scale(values, unit, scale):
    values = [d if abs(d) > 1e-300 else 0.0 for d in values]  # smaller ones lose their digits when multiplied
    plain = list(symmetric.path(values, Bound(0.0, 1.0)))
    assert list(symmetric.path([d * unit for d in values], Bound(0.0, scale))) == pytest.approx(plain, rel=1e-6)
    assert all(0 <= e <= 2 ** (n + 1) * (1 + 1e-9) for n, e in enumerate(plain))


@given(st.integers(0, 60))
def test_ties_earn_nothing_in_the_symmetric_process(n):
    assert list(symmetric.path([0.0] * n, Bound(0.0, 1.0))) == [1.0] * n


@pytest.mark.parametrize("tails", ["gauss", "cauchy"])
def test_the_symmetric_process_is_valid_for_any_tails(tails):
    rng, streams = random.Random(13), 5000

    def draw():
        return rng.gauss(0, 1) if tails == "gauss" else math.tan(math.pi * (rng.random() - 0.5))

    passed = sum(max(symmetric.path([draw() for _ in range(60)], Bound(0.0, 1.0))) >= 20 for _ in range(streams))
    assert passed / streams <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / streams)
