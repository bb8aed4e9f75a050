from __future__ import annotations

import math
import random

from novum.gate.group_correlation import NAME, group_correlation, intraclass


def drawn(rng, shared, groups=5, size=4):
    """Runs of sd 1, of whose variance a part `shared` belongs to the group."""
    found = []
    for _ in range(groups):
        common = rng.gauss(0, math.sqrt(shared))
        found.append([common + rng.gauss(0, math.sqrt(1 - shared)) for _ in range(size)])
    return found


def test_independent_runs_are_called_correlated_no_more_often_than_said():
    rng, n = random.Random(3), 300
    wrong = sum(group_correlation(drawn(rng, 0.0)).ok is False for _ in range(n))
    assert wrong / n <= 0.01 + 4 * math.sqrt(0.01 / n)


def test_runs_that_share_most_of_their_noise_are_seen():
    rng, n = random.Random(4), 60
    found = [group_correlation(drawn(rng, 0.8)).ok for _ in range(n)]
    assert sum(ok is not True for ok in found) / n > 0.8
    assert sum(ok is False for ok in found) / n > 0.5


def test_the_correlation_is_the_share_of_variance_between_groups():
    rng = random.Random(5)
    for shared in (0.0, 0.3, 0.9):
        assert abs(intraclass(drawn(rng, shared, groups=3000)) - shared) < 0.03


def test_too_few_groups_or_no_spread_say_nothing():
    assert group_correlation([[1.0, 2.0, 3.0]]) is None
    assert group_correlation([[1.0, 1.0], [1.0, 1.0]]) is None
    assert group_correlation([[1.0], [2.0]]) is None
    assert group_correlation([[1.0, 1.1, 0.9], [2.0, 1.9, 2.1], [1.4, 1.6, 1.5]]).name == NAME
