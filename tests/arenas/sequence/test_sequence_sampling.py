"""Draws for all rows at once have the distribution that one row at a time would have."""

import itertools

import numpy as np
import pytest
from scipy import stats

from novum.arenas.sequence.tasks import sampling
from novum.arenas.sequence.tasks.sampling import (
    alias_tables,
    below,
    distinct,
    draw,
    first_place,
    one_of,
    power_law_gaps,
    rng_of,
    run_automaton,
    split_uniform,
)

WAYS = pytest.mark.parametrize("way", [sampling._sorted_pool, sampling._partial_shuffle])


def uniform(counts):
    """Whether counts are those of equally likely outcomes, at a level that a right draw fails once in a million."""
    return stats.chisquare(counts).pvalue > 1e-6


@WAYS
@pytest.mark.parametrize(("count", "pool"), [(3, 5), (1, 7), (4, 4), (2, 6)])
def test_all_orders_of_all_choices_are_equally_likely(way, count, pool):
    drawn = way(np.random.default_rng(1), 40_000, count, pool)
    every = list(itertools.permutations(range(pool), count))
    number = {choice: place for place, choice in enumerate(every)}
    counts = np.bincount([number[tuple(row)] for row in drawn.tolist()], minlength=len(every))
    assert uniform(counts)


@WAYS
@pytest.mark.parametrize(("count", "pool"), [(300, 300), (5, 1000), (256, 256), (257, 257)])
def test_large_pools_are_drawn_without_replacement(way, count, pool):
    drawn = way(np.random.default_rng(1), 200, count, pool)
    assert drawn.shape == (200, count)
    assert 0 <= drawn.min() <= drawn.max() < pool
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    assert uniform(np.bincount(drawn[:, 0] * 4 // pool, minlength=4)) or pool % 4


@pytest.mark.parametrize(
    ("rows", "count", "pool"), [(1, 8, 127), (16, 8, 127), (500, 8, 127), (500, 12, 16), (7, 1, 1)]
)
def test_distinct_draws_lie_between_their_bounds(rows, count, pool):
    drawn = distinct(np.random.default_rng(2), rows, count, 10, 10 + pool)
    assert drawn.shape == (rows, count)
    assert 10 <= drawn.min() <= drawn.max() < 10 + pool
    assert all(len(set(row)) == count for row in drawn.tolist())


def test_below_is_uniform_for_each_bound():
    bounds = np.array([[1], [2], [3], [7], [2**32]])
    drawn = below(np.random.default_rng(3), bounds, (5, 20_000))
    assert (drawn[0] == 0).all()
    for row, bound in ((1, 2), (2, 3), (3, 7)):
        assert uniform(np.bincount(drawn[row], minlength=bound))
    assert uniform(np.bincount(drawn[4] >> 29, minlength=8))


def test_the_first_gap_has_the_power_law_and_all_are_different():
    drawn = power_law_gaps(np.random.default_rng(4), 30_000, 3, 6, -0.5)
    law = np.arange(1, 7) ** -1.5
    expected = law / law.sum() * len(drawn)
    assert stats.chisquare(np.bincount(drawn[:, 0], minlength=6), expected).pvalue > 1e-6
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()


@pytest.mark.parametrize("columns", [1, 2, 3, 8, 9, 40])
def test_first_place_is_the_first_column_with_the_same_id(columns):
    ids = np.random.default_rng(5).integers(0, 7, (200, columns)) * 10**9
    expected = [[row.index(one) for one in row] for row in ids.tolist()]
    assert first_place(ids).tolist() == expected


def test_one_of_the_flagged_is_chosen_uniformly():
    flags = np.tile([True, False, True, True], (30_000, 1))
    counts = np.bincount(one_of(np.random.default_rng(6), flags), minlength=4)
    assert counts[1] == 0
    assert uniform(counts[[0, 2, 3]])


def test_an_automaton_is_run_by_looking_up():
    rng = np.random.default_rng(7)
    table, symbols = rng.integers(0, 5, (5, 3)), rng.integers(0, 3, (40, 11))
    for row, states in zip(symbols.tolist(), run_automaton(table, 2, symbols).tolist(), strict=True):
        state = 2
        for symbol, found in zip(row, states, strict=True):
            state = int(table[state, symbol])
            assert found == state


@pytest.mark.parametrize("symbols", [2, 3, 8, 64])
def test_alias_tables_hold_the_distributions_exactly(symbols):
    chances = np.random.default_rng(8).dirichlet(np.full(symbols, 0.1), 50)
    chances[0] = 1 / symbols
    chances[1] = np.eye(symbols)[1]
    keep, other = alias_tables(chances)
    found = keep / symbols
    for cell in range(symbols):
        np.add.at(found, (np.arange(50), other[:, cell]), (1 - keep[:, cell]) / symbols)
    np.testing.assert_allclose(found, chances, atol=1e-12)


def test_draws_follow_each_state():
    rng = np.random.default_rng(9)
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    state = rng.integers(0, 2, 60_000)
    drawn = draw(alias_tables(chances), state, *split_uniform(rng, 3, state.shape))
    for one in (0, 1):
        share = np.bincount(drawn[state == one], minlength=3) / (state == one).sum()
        np.testing.assert_allclose(share, chances[one], atol=0.012)


def test_fixed_parts_depend_on_every_word():
    streams = [rng_of(*words).random() for words in (("a", 1), ("a", 2), ("b", 1), ("a", "1/2"), ("a",))]
    assert len(set(streams)) == 5
    assert rng_of("a", 1).random() == streams[0]
