"""The holdout: `coarse` keeps its promise against a climber, the others follow their papers, naive use is warned of."""

from __future__ import annotations

import itertools
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.core.model.errors import StudyError
from novum.gate import holdout_mechanisms
from novum.gate.holdout_mechanisms import Answer, History, Query

KEY = b"sealed"
differences = st.lists(st.floats(-1, 1), min_size=2, max_size=40)


def ask(name, values, *, key=KEY, queries=0, held=0, **more):
    return holdout_mechanisms.MECHANISMS[name](Query(values, key, **more), History(queries, held))


def redrawn(right, churn, rng):
    """A change that is worth nothing to a coin-flipping model: as many answers get right as get wrong."""
    return right ^ (rng.random(right.shape) < churn)


# --- coarse: the price of a question


@pytest.mark.parametrize("alpha", [0.01, 0.10, 0.5])
def test_the_thresholds_of_all_histories_spend_no_more_than_alpha(alpha):
    spent = 0.0
    for length in range(9):
        for answers in itertools.product([False, True], repeat=length):
            past = History()
            for yes in answers:
                past = past.after(Answer(yes, None, None, None))
            spent += 1 / holdout_mechanisms.threshold(past.queries + 1, past.held, alpha)
    assert spent == pytest.approx(alpha * 9 / 10)


@given(st.integers(1, 60), st.integers(0, 60), st.floats(1e-6, 0.9))
def test_a_question_never_gets_cheaper(number, held, alpha):
    held = min(held, number - 1)
    price = holdout_mechanisms.threshold(number, held, alpha)
    assert 2 / alpha <= price < holdout_mechanisms.threshold(number + 1, held, alpha)


def test_prices_beyond_all_numbers_are_never_paid():
    price = holdout_mechanisms.threshold(3000, 1500, 0.1)
    answer = ask("coarse", [1.0] * 3000, queries=2999, held=1500)
    assert price == answer.threshold == sys.float_info.max
    assert not answer.held and answer.e_value == holdout_mechanisms.LARGEST_E


# --- coarse: the e-value


def outcomes(n, odds):
    """Every sequence of n differences with its probability."""
    for sequence in itertools.product(odds, repeat=n):
        yield sequence, math.prod(odds[d] for d in sequence)


@pytest.mark.parametrize("goal", [math.inf, 2.5, 8.0])
@pytest.mark.parametrize(
    ("delta", "odds"),
    [
        (0.0, {1.0: 0.05, 0.0: 0.9, -1.0: 0.05}),
        (0.0, {1.0: 0.25, 0.25: 0.25, -0.625: 0.5}),
        (0.2, {1.0: 0.4, 0.0: 0.4, -1.0: 0.2}),
        (0.2, {1.0: 0.6, -1.0: 0.4}),
    ],
)
def test_the_evidence_of_a_null_is_one_on_average_wherever_it_stops(goal, delta, odds):
    found = [
        (holdout_mechanisms.evidence(d, delta, holdout_mechanisms.bets(900), goal), p) for d, p in outcomes(7, odds)
    ]
    assert math.fsum(e * p for e, p in found) == pytest.approx(1.0)
    assert math.fsum(p for e, p in found if e >= goal) <= 1 / goal


@given(differences, st.floats(0, 0.9), st.floats(1.01, 1e6))
def test_evidence_is_never_negative_and_stops_at_its_goal(values, delta, goal):
    stakes = holdout_mechanisms.bets(len(values))
    path = [holdout_mechanisms.evidence(values[:n], delta, stakes) for n in range(1, len(values) + 1)]
    first = next((e for e in path if e >= goal), path[-1])
    assert min(path) >= 0
    assert holdout_mechanisms.evidence(values, delta, stakes, goal) == first


@given(st.integers(2, 50), differences)
def test_a_candidate_that_changes_nothing_earns_nothing(n, values):
    assert ask("coarse", [0.0] * n).e_value == 1.0
    alone = holdout_mechanisms.evidence(values, 0.0, holdout_mechanisms.bets(500))
    assert (
        holdout_mechanisms.evidence([x for d in values for x in (0.0, d)], 0.0, holdout_mechanisms.bets(500)) == alone
    )


@given(st.integers(1, 10**7))
def test_bets_lie_between_nothing_and_everything(n):
    found = holdout_mechanisms.bets(n)
    assert found == tuple(sorted(found, reverse=True)) and 0 < found[-1] <= found[0] < 1
    assert len(found) == 1 or found[-1] >= holdout_mechanisms.SMALLEST_BET / math.sqrt(n) * (1 - 1e-6)


# --- coarse: the order


@given(st.binary(min_size=1, max_size=8), st.integers(1, 60))
def test_the_order_is_a_permutation_that_follows_from_the_key(key, n):
    assert sorted(holdout_mechanisms.order(key, n)) == list(range(n))
    holdout_mechanisms.order.cache_clear()
    assert holdout_mechanisms.order(key, n) == holdout_mechanisms.order(key, n)


def test_another_key_reads_in_another_order():
    assert holdout_mechanisms.order(b"one", 50) != holdout_mechanisms.order(b"two", 50)


@given(differences, st.binary(min_size=1, max_size=4))
def test_the_order_does_not_depend_on_the_data(values, key):
    read = [values[i] for i in holdout_mechanisms.order(key, len(values))]
    bar = holdout_mechanisms.threshold(1, 0, 0.1)
    assert ask("coarse", values, key=key).e_value == holdout_mechanisms.evidence(
        read, 0.0, holdout_mechanisms.bets(len(values)), bar
    )


# --- coarse: the promise


def climbs(say, campaigns, queries, *, n=80, churn=0.4, seed=5):
    """Share of null campaigns with any yes: a climber goes on from its latest yes, and asks for more than it has."""
    rng, any_yes = np.random.default_rng(seed), 0
    for _ in range(campaigns):
        best, past = rng.random(n) < 0.5, History()
        for _ in range(queries):
            new = redrawn(best, churn, rng)
            answer = say(Query((new.astype(int) - best).tolist(), KEY, alpha=0.3), past)
            best, past = new if answer.held else best, past.after(answer)
        any_yes += past.held > 0
    return any_yes / campaigns


def test_a_climber_gets_a_false_yes_in_no_more_than_alpha_of_all_lives():
    campaigns = 500
    assert 0 < climbs(holdout_mechanisms.coarse, campaigns, 25) <= 0.3 + 3 * math.sqrt(0.3 * 0.7 / campaigns)


def test_without_the_price_of_questions_the_same_climber_breaks_the_promise():
    def unpriced(query, past):
        return holdout_mechanisms.coarse(query, History())

    assert climbs(unpriced, 200, 25) > 0.5


def test_a_real_gain_is_found():
    rng, tries = np.random.default_rng(6), 200
    drawn = rng.choice([1, 0, -1], (tries, 500), p=[0.09, 0.88, 0.03])
    assert sum(ask("coarse", row.tolist()).held for row in drawn) / tries > 0.85
    assert sum(ask("coarse", row.tolist(), queries=4).held for row in drawn) / tries > 0.4
    assert not any(ask("coarse", row.tolist(), delta=0.06).held for row in drawn[:20])


def test_coarse_tells_nothing_but_yes_or_no():
    answer = ask("coarse", [1.0] * 100)
    assert answer.held and answer.e_value >= answer.threshold and answer.reported is None


# --- the others


@pytest.mark.parametrize(
    ("values", "held", "reported"),
    [
        # mean .3, sd sqrt(4.1 / 9), standard error .213
        ([1, 1, 1, 1, 0, 0, 0, 0, 0, -1], True, 0.3),
        # mean .1, sd sqrt(2.9 / 9), standard error .180
        ([1, 1, 0, 0, 0, 0, 0, 0, 0, -1], False, 0.0),
        # mean .3125 is 1.25 quarters, standard error .120
        ([0.5, 0.5, 0.25, 0], True, 0.25),
    ],
)
def test_the_ladder_by_hand(values, held, reported):
    assert ask("ladder", values) == Answer(held, None, None, reported)


@given(differences, st.floats(0, 0.5))
def test_the_ladder_never_reports_a_change_below_its_step(values, delta):
    answer, gain, error = ask("ladder", values, delta=delta), np.mean(values), np.std(values, ddof=1)
    if answer.held:
        assert gain - delta > error / math.sqrt(len(values)) * (1 - 1e-9) - 1e-12
        assert answer.reported == pytest.approx(gain, abs=0.5 / len(values) + 1e-12)
    else:
        assert answer.reported == 0.0


@given(differences, st.floats(-1, 1), st.integers(0, 1000))
def test_thresholdout_follows_from_the_key_and_the_number_of_the_query(values, gate_gain, queries):
    answer = ask("thresholdout", values, queries=queries, gate_gain=gate_gain)
    assert answer == ask("thresholdout", values, queries=queries, held=queries, gate_gain=gate_gain)
    assert answer.held == (answer.reported > 0)


def test_thresholdout_tells_the_gate_split_while_the_holdout_agrees():
    told = [ask("thresholdout", [0.0] * 400, queries=k, gate_gain=0.01).reported for k in range(400)]
    assert told.count(0.01) >= 380


def test_thresholdout_tells_the_holdout_within_its_noise_otherwise():
    told = np.array([ask("thresholdout", [0.25] * 400, queries=k, gate_gain=0.9).reported for k in range(400)])
    sigma = holdout_mechanisms.TOLERANCE * holdout_mechanisms.NOISE_SHARE / math.sqrt(400)
    assert len(set(told)) == 400
    assert abs(told.mean() - 0.25) < 4 * math.sqrt(2) * sigma / math.sqrt(400)
    assert np.abs(told - 0.25).mean() == pytest.approx(sigma, rel=4 / math.sqrt(400))


def test_thresholdout_without_blur_is_a_plain_comparison():
    query = Query([0.5, 0.0, 0.0, 0.5], KEY, 0.3)
    assert holdout_mechanisms.thresholdout(query, History(), tolerance=0.1, sigma=0.0).reported == 0.3
    assert holdout_mechanisms.thresholdout(query, History(), tolerance=0.01, sigma=0.0).reported == 0.25


def test_naive_believes_noise():
    rng = np.random.default_rng(7)
    answers = [ask("naive", rng.choice([1, 0, -1], 100).tolist()) for _ in range(200)]
    assert 0.3 < np.mean([answer.held for answer in answers]) < 0.6
    assert all(answer.held == (answer.reported > 0) for answer in answers)


@pytest.mark.parametrize(("n", "queries", "churn"), [(400, 60, 0.1), (1000, 200, 0.04), (360, 15, 0.3)])
def test_naive_climbs_overstate_as_much_as_expected(n, queries, churn):
    rng, campaigns = np.random.default_rng(8), 400
    right = rng.random((campaigns, n)) < 0.5
    for _ in range(queries):
        new = redrawn(right, churn, rng)
        right = np.where((new.sum(axis=1) > right.sum(axis=1))[:, None], new, right)
    assert holdout_mechanisms.expected_inflation(n, queries, churn) == pytest.approx(right.mean() - 0.5, rel=0.12)


def test_the_expected_inflation_grows_with_the_queries_only():
    grown = [holdout_mechanisms.expected_inflation(500, k, 0.1) for k in (0, 1, 5, 40, 400)]
    assert grown[0] == 0.0 and grown == sorted(grown)
    assert grown[1] == pytest.approx(math.sqrt(0.1 * 0.9 / 500 / (2 * math.pi)))
    assert holdout_mechanisms.expected_inflation(5000, 40, 0.1) < grown[3]
    assert holdout_mechanisms.expected_inflation(2, 10_000, 0.1, 0.9) <= 0.1
    assert (
        holdout_mechanisms.expected_inflation(500, 40, 0.0)
        == holdout_mechanisms.expected_inflation(500, 40, 1.0)
        == 0.0
    )


def test_the_warning_is_a_sentence():
    end = "the best by about {} points, if what they change (10% of the answers) is worth nothing"
    assert holdout_mechanisms.warning(500, 42, 0.1) == "42 naive queries of 500 examples overstate " + end.format("8.0")
    assert holdout_mechanisms.warning(500, 1, 0.1) == "1 naive query of 500 examples overstates " + end.format("0.5")


# --- what does not fit


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ([], {}),
        ([0.0], {}),
        ([0.0, 1.5], {}),
        ([0.0, -1.0001], {}),
        ([math.nan, 0.0], {}),
        ([math.inf, 0.0], {}),
        ([0.0, 1.0], {"gate_gain": math.nan}),
        ([0.0, 1.0], {"gate_gain": -2.0}),
        ([0.0, 1.0], {"delta": 1.0}),
        ([0.0, 1.0], {"delta": -0.1}),
        ([0.0, 1.0], {"alpha": 0.0}),
        ([0.0, 1.0], {"alpha": math.nan}),
    ],
)
@pytest.mark.parametrize("name", holdout_mechanisms.MECHANISMS)
def test_what_is_no_query_is_refused(name, values, more):
    with pytest.raises(StudyError, match="holdout: "):
        ask(name, values, **more)


def test_what_else_cannot_be_is_refused():
    with pytest.raises(StudyError, match="gate split"):
        ask("thresholdout", [0.0, 1.0])
    for queries, held in ((1, 2), (-1, 0), (3, -1)):
        with pytest.raises(StudyError, match="yes answers"):
            History(queries, held)
    for n, queries, churn, accuracy in ((0, 1, 0.1, 0.5), (9, -1, 0.1, 0.5), (9, 1, 0.3, 0.9), (9, 1, math.nan, 0.5)):
        with pytest.raises(StudyError, match="no climb"):
            holdout_mechanisms.expected_inflation(n, queries, churn, accuracy)


def test_the_key_stays_out_of_representations():
    assert "sealed" not in repr(Query([0.0, 1.0], KEY)) and holdout_mechanisms.DEFAULT in holdout_mechanisms.MECHANISMS
