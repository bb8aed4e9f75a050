from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import coin_study, finished, past
from scipy.stats import kendalltau

from novum.views.screening_correlation import FEWEST, kendall, proxy, sentence

numbers = st.integers(-5, 5).map(float)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=25))
def test_tau_is_that_of_scipy(points):
    mine = kendall(points)
    if mine is not None:
        assert mine == pytest.approx(kendalltau(*zip(*points, strict=True)).statistic)
    else:
        assert len({x for x, _ in points}) == 1 or len({y for _, y in points}) == 1


def test_a_perfect_proxy_and_a_useless_one():
    rng = random.Random(1)
    assert kendall([(n, 3 * n) for n in range(20)]) == 1.0
    assert abs(kendall([(rng.random(), rng.random()) for _ in range(200)])) < 0.15


def test_a_campaign_reports_its_proxy_with_an_interval():
    lab = past(900)
    found = proxy(lab.state)
    assert found.confirmations >= FEWEST
    assert found.interval[0] <= found.tau <= found.interval[1]
    assert "Kendall" in sentence(found)
    early = finished(coin_study(), trials=40)
    assert "Too few" in sentence(proxy(early.state))
