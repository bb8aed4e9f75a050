from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.views.finding_views.more_of_the_same import MoreOfTheSame, best_of, same_text


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=7), st.integers(1, 7))
def test_the_best_of_k_is_the_mean_over_all_choices(values, k):
    k = min(k, len(values))
    chosen = [max(some) for some in itertools.combinations(values, k)]
    assert best_of(sorted(values), k) == pytest.approx(sum(chosen) / len(chosen), abs=1e-9)


def test_the_words_say_what_was_compared():
    twice = same_text(MoreOfTheSame(2.1, 2, 0.61, 0.74, 9, 30))
    assert "the best of 2 runs" in twice
    assert "takes the best of 9" in twice
    equal = same_text(MoreOfTheSame(1.0, 1, 0.55, 0.74, None, 30))
    assert "costs the same" in equal
    assert "not even the best of all 30" in equal
