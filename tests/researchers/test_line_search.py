"""Steps along one parameter, and trades at equal compute: inside the ranges, to both sides, ending."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.arenas.coinflip import CoinflipArena
from novum.core.model.candidate import Candidate
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.bayes import BayesResearcher, Observed
from novum.researchers.equal_compute import Budgeted, learned
from novum.researchers.line_search import next_value, place, value_at
from novum.source.parameters import Parameter
from novum.source.space import SourceSpace

RATE = Parameter("lr", "t.py: LR", 1e-5, 0.1, log=True)
DROP = Parameter("drop", "t.py: DROP", 0.0, 0.6)
BATCH = Parameter("batch", "t.py: BATCH", choices=(4, 8, 16, 32), cost=0.7)
LAYERS = Parameter("layers", "t.py: LAYERS", 1, 6, integer=True, cost=0.8)
STEPS = Parameter("steps", "t.py: STEPS", 25, 400, log=True, integer=True, cost=1.0)
ALL = (RATE, DROP, BATCH, LAYERS, STEPS)
TEXT = "LR = 0.0003\nDROP = 0.1\nBATCH = 16\nLAYERS = 2\nSTEPS = 100\nprint(LR, DROP, BATCH, LAYERS, STEPS)\n"
SPACE = SourceSpace({"t.py": TEXT}, parameters=ALL)
NOW = {"lr": 0.0003, "drop": 0.1, "batch": 16, "layers": 2, "steps": 100}


@given(st.floats(0, 1), st.sampled_from([RATE, DROP]))
def test_places_and_values_are_inverse(at, one):
    assert place(one, value_at(one, at)) == pytest.approx(at, abs=1e-3)


@given(st.floats(0.02, 0.98), st.integers(0, 5), st.sampled_from([RATE, DROP]))
def test_a_line_search_climbs_to_the_best_place_and_ends(target, seed, one):
    def gain(value):
        return -abs(place(one, value) - target)

    now = value_at(one, random.Random(seed).uniform(0.1, 0.9))
    tried = [now]
    for _ in range(30):
        new = next_value(one, now, tried, halve=True)
        if new is None:
            break
        assert one.admits(new) and new not in tried
        tried.append(new)
        now = max(tried, key=gain)
    else:
        pytest.fail("it does not end")
    assert abs(place(one, now) - target) < 0.21
    assert len(tried) < 12


def test_choices_that_are_no_numbers_are_tried_each_once():
    act = Parameter("act", "t.py: ACT", choices=("relu", "gelu", "tanh"))
    assert next_value(act, "relu", ["relu"], halve=False) == "gelu"
    assert next_value(act, "relu", ["relu", "gelu", "tanh"], halve=False) is None
    switch = Parameter("flag", "t.py: FLAG", choices=(False, True))
    assert next_value(switch, False, [False], halve=False) is True
    assert next_value(BATCH, 16, [8], halve=False) == 32
    assert next_value(BATCH, 4, [8], halve=False) is None


def test_sizes_are_traded_for_length_and_never_raised_alone():
    kinds = Budgeted.of(ALL, 1.05)
    assert [one.name for one in kinds.neutral] == ["lr", "drop"]
    assert [one.name for one in kinds.sizes] == ["batch", "layers"]
    smaller, larger = kinds.trades(BATCH, NOW)
    assert smaller == {"batch": 8, "steps": round(100 * 2**0.7)}
    assert larger == {"batch": 32, "steps": round(100 / 2**0.7)}
    assert [one["layers"] for one in kinds.trades(LAYERS, NOW)] == [1, 3]
    alone = Budgeted.of(ALL[:-1], 1.05)
    assert alone.trades(BATCH, NOW) == [{"batch": 8}]
    per_epoch = replace(BATCH, cost=-0.5)
    assert Budgeted.of([per_epoch], 1.05).trades(per_epoch, NOW) == [{"batch": 32}]
    free = Budgeted.of(ALL, None)
    assert not free.sizes and len(free.neutral) == 5 and free.affords(100.0)


def test_what_a_candidate_was_measured_to_take_corrects_its_length():
    kinds = Budgeted.of(ALL, 1.05)
    assert kinds.respent(0.5, NOW) == {"steps": 194}
    assert kinds.respent(1.25, NOW) == {"steps": 78}
    assert kinds.respent(1.0, NOW) is None and kinds.respent(None, NOW) is None
    assert kinds.respent(0.1, NOW) is None, "beyond the range of the length"


def test_how_cost_grows_is_learned_from_what_was_measured():
    def cost(point):
        return point["steps"] * point["layers"] ** 0.5

    past = [
        Observed({**NOW, **changes}, 0.0, "h", {}, cost({**NOW, **changes}) / cost(NOW))
        for changes in ({"batch": 8}, {"batch": 32}, {"layers": 1}, {"steps": 200}, {"steps": 50, "layers": 4})
    ]
    guessed = {"batch": 0.7, "layers": 0.8, "steps": 1.0}
    found = learned(guessed, [*past, Observed(NOW, 0.0, "", {})])
    assert found == pytest.approx({"batch": 0.0, "layers": 0.5, "steps": 1.0}, abs=0.08)
    assert learned(guessed, [Observed(NOW, 0.0, "", {})]) == guessed
    kinds = Budgeted.of(ALL, 1.05, [*past, Observed(NOW, 0.0, "", {})])
    assert all(95 <= point.get("steps", 100) <= 105 for point in kinds.trades(BATCH, NOW))


def searched(score, cost, rounds, limit=1.05):
    """What the researcher tries on a program of known score and cost: what was screened, and what was withdrawn."""
    past: list[PastHypothesis] = []
    dear: list[PastHypothesis] = []
    for number in range(rounds):
        known = frozenset(Candidate(one.genome).id for one in [*past, *dear])
        seen = StudyView(
            CoinflipArena().spec, SPACE, number + 1, {}, past, known, past=tuple(past), compute_limit=limit,
            withdrawn=tuple(dear),
        )  # fmt: skip
        said = BayesResearcher().propose(seen, random.Random(number))
        assert said is not None
        point = SPACE.parameter_values(said.genome)
        ratio, gain = cost(point) / cost(NOW), score(point) - score(NOW)
        stopped = ratio > 1.25
        (dear if stopped else past).append(
            PastHypothesis(f"h{number}", said.genome, -math.inf if stopped else gain, None, "bayes", compute=ratio)
        )
    return past, dear


def test_sizes_that_cost_nothing_are_not_paid_for_again_and_again():
    """A guess that is wrong is learned from candidates that were withdrawn for their cost."""
    past, dear = searched(lambda point: -abs(math.log10(point["lr"] / 0.004)), lambda point: point["steps"], 60)
    assert len(dear) <= 8
    lengths = [
        (tuple(value for name, value in SPACE.parameter_values(one.genome).items() if name != "steps"),
         SPACE.parameter_values(one.genome)["steps"]) for one in [*past, *dear]
    ]  # fmt: skip
    for number, (rest, length) in enumerate(lengths):
        assert not any(rest == other and abs(math.log(length / steps)) < 0.1 for other, steps in lengths[:number])


def test_at_equal_compute_it_finds_a_smaller_batch_and_more_steps():
    def cost(point):
        return 50 + point["steps"] * (1 + point["batch"] ** 0.9 + 4 * point["layers"])

    def score(point):
        rate = abs(math.log10(point["lr"] / 0.004))
        return math.log(point["steps"]) + 0.3 * math.log(point["batch"]) - rate - 0.1 * (point["layers"] - 2) ** 2

    past, dear = searched(score, cost, 30)
    assert len(dear) < 6
    fair = [one for one in past if one.compute <= 1.05]
    assert len(fair) > 20, "most of what is tried is within the limit"
    best = SPACE.parameter_values(max(fair, key=lambda one: one.advantage).genome)
    assert best["batch"] < 16 and best["steps"] > 130 and 0.001 < best["lr"] < 0.02
    assert all(
        SPACE.parameter_values(one.genome)["steps"] <= 100 or SPACE.parameter_values(one.genome)["batch"] < 16
        or SPACE.parameter_values(one.genome)["layers"] < 2 for one in past
    )  # fmt: skip
