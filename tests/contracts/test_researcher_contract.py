"""What every researcher promises, held against all that propose by themselves, on all arenas."""

from __future__ import annotations

import random

import pytest
from programs import guessing

from novum.core.model.errors import StudyError
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.registry import BUILT_IN, Kind, build
from novum.testing import ResearcherContract

PROGRAM = ("program", guessing())
ALL = (
    "adaptation",
    "coinflip",
    "digits",
    "local-learning",
    "memory",
    "optimisers",
    "programs",
    "recall",
    "regret",
    "sequence",
    PROGRAM,
)


class TestArchive(ResearcherContract):
    researcher = "archive"
    arenas = ALL


class TestBayes(ResearcherContract):
    researcher = "bayes"
    arenas = ("coinflip", "digits", "recall")


class TestCode(ResearcherContract):
    researcher = "code"
    arenas = (PROGRAM,)


class TestEvolve(ResearcherContract):
    researcher = "evolve"
    arenas = ALL


class TestPortfolio(ResearcherContract):
    researcher = "portfolio"
    arenas = ALL


class TestRandom(ResearcherContract):
    researcher = "random"
    arenas = ALL


def test_no_researcher_that_proposes_at_once_is_left_out():
    held = {suite.researcher for suite in (TestArchive, TestBayes, TestCode, TestEvolve, TestPortfolio, TestRandom)}
    assert held == set(BUILT_IN[Kind.RESEARCHER]) - {"bulk", "inbox", "language"}
    assert {one if isinstance(one, str) else one[0] for one in ALL} == set(BUILT_IN[Kind.ARENA])


def test_evolution_prefers_the_offspring_of_the_fit():
    problem, researcher = build(Kind.ARENA, "coinflip", {}), build(Kind.RESEARCHER, "evolve", {})
    fit = PastHypothesis("fit", {"metal": 4, "edge": 4, "spin": 2, "shade": 7}, 0.3, None)
    poor = [PastHypothesis(f"p{n}", {"metal": 3, "edge": 1, "spin": 3, "shade": n}, -0.3, None) for n in range(5)]
    baseline = problem.space.validate(problem.spec.baseline)
    seen = StudyView(problem.spec, problem.space, 1, baseline, (*poor, fit), frozenset())
    parents = [researcher.propose(seen, random.Random(n)).parents for n in range(200)]
    unfit = sum(parent not in ((), ("fit",)) for parent in parents)
    assert parents.count(("fit",)) > 1.2 * unfit  # one fit among five unfit: chance alone would give a fifth


def test_unknown_options_of_a_researcher_are_named():
    with pytest.raises(StudyError, match=r"researcher\.options\.speed"):
        build(Kind.RESEARCHER, "evolve", {"speed": 3})
