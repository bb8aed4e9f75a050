"""Typed parameters by TPE: rebuilt from the record, inside the ranges, better than chance where there is a gradient."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from novum.arenas.coinflip import CoinflipArena
from novum.core.model.candidate import Candidate, Gene, Space
from novum.core.model.errors import StudyError
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.researchers.bayes import BayesResearcher
from novum.source.parameters import Parameter
from novum.source.space import SourceSpace

TEXT = "LR = 0.0003\nDROP = 0.5\nWIDTH = 32\nprint(LR, DROP, WIDTH)\n"
SPACE = SourceSpace(
    {"t.py": TEXT},
    parameters=(
        Parameter("lr", "t.py: LR", 1e-5, 0.1, log=True),
        Parameter("drop", "t.py: DROP", 0.0, 0.9),
        Parameter("width", "t.py: WIDTH", choices=(8, 16, 32, 64)),
    ),
)


def score(genome) -> float:
    found = SPACE.parameter_values(genome)
    return -abs(math.log10(found["lr"] / 0.01)) - abs(found["drop"] - 0.1) - 0.1 * abs(math.log2(found["width"] / 64))


def drawn_value(one: Parameter, rng: random.Random):
    if one.choices:
        return rng.choice(one.choices)
    return math.exp(rng.uniform(math.log(one.low), math.log(one.high))) if one.log else rng.uniform(one.low, one.high)


def view(space, past=()) -> StudyView:
    known = frozenset(Candidate(one.genome).id for one in past)
    return StudyView(CoinflipArena().spec, space, len(past) + 1, {}, past, known, past=past)


def searched(researcher, rounds: int, seed: int) -> list[PastHypothesis]:
    past: list[PastHypothesis] = []
    for number in range(rounds):
        said = researcher.propose(view(SPACE, tuple(past)), random.Random(f"{seed}:{number}"))
        assert said is not None
        past.append(PastHypothesis(f"h{number}", said.genome, score(said.genome) - score({}), None, "bayes"))
    return past


def test_it_finds_what_random_search_does_not():
    pytest.importorskip("optuna")
    best = [max(one.advantage for one in searched(BayesResearcher(), 40, seed)) for seed in range(3)]
    luck = []
    for seed in range(3):
        rng = random.Random(seed)
        drawn = [
            SPACE.with_parameters({}, {one.name: drawn_value(one, rng) for one in SPACE.parameters}) for _ in range(40)
        ]
        luck.append(max(score(one) - score({}) for one in drawn))
    assert sorted(best)[1] > sorted(luck)[1]
    assert min(best) > 1.5


def test_the_same_record_and_randomness_give_the_same_idea():
    past = tuple(searched(BayesResearcher(first=4), 12, 7))
    first, again = (BayesResearcher(first=4).propose(view(SPACE, past), random.Random(3)) for _ in range(2))
    assert first == again


def test_the_first_proposals_change_one_parameter_of_the_best_known_point():
    past = searched(BayesResearcher(first=6), 6, 1)
    for number, one in enumerate(past):
        earlier = max(past[:number], key=lambda other: other.advantage, default=None)
        start = SPACE.parameter_values(earlier.genome if earlier and earlier.advantage > 0 else {})
        found = SPACE.parameter_values(one.genome)
        assert sum(found[name] != value for name, value in start.items()) == 1


def test_failures_are_worse_than_all_that_was_scored():
    pytest.importorskip("optuna")
    past = searched(BayesResearcher(), 12, 2)
    past = tuple(replace(one, advantage=-math.inf) if number % 3 == 0 else one for number, one in enumerate(past))
    assert BayesResearcher().propose(view(SPACE, past), random.Random(1)) is not None


def test_genes_count_as_parameters_and_a_space_without_any_is_refused():
    genes = Space((Gene("spin", (0, 1, 2)), Gene("edge", (0, 4))))
    said = BayesResearcher().propose(view(genes), random.Random(1))
    assert said is not None and genes.validate(said.genome) == said.genome
    with pytest.raises(StudyError, match="names no parameters"):
        BayesResearcher().propose(view(SourceSpace({"t.py": TEXT})), random.Random(1))
