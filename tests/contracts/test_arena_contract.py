"""What every arena promises, held against all that are built in."""

from __future__ import annotations

from typing import ClassVar

import pytest
from labs import coin_study
from programs import guessing

from novum.core.model.errors import StudyError
from novum.lab import wiring
from novum.registry import BUILT_IN, Kind, build
from novum.testing import ArenaContract

ASKED = None
"""In the place of a test that another suite of the same worker program holds: a process with torch takes seconds."""


@pytest.mark.slow
class TestAdaptation(ArenaContract):
    arena = "adaptation"
    options: ClassVar = {"steps": 2, "batch": 2, "exam": 4, "queries": 4}


@pytest.mark.slow
class TestAdaptationToTables(ArenaContract):
    arena = "adaptation"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"steps": 2, "batch": 2, "exam": 4, "queries": 4, "task": "tables"}


@pytest.mark.slow
class TestAdaptationToText(ArenaContract):
    arena = "adaptation"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"steps": 2, "batch": 2, "exam": 2, "queries": 4, "task": "text", "shots": "0, 4"}


class TestCoinflip(ArenaContract):
    arena = "coinflip"


@pytest.mark.slow
class TestDigits(ArenaContract):
    arena = "digits"


@pytest.mark.slow
class TestLocalLearning(ArenaContract):
    arena = "local-learning"
    options: ClassVar = {"samples": 64, "held_out": 32, "train": 100}


@pytest.mark.slow
class TestLocalLearningOfDigits(ArenaContract):
    arena = "local-learning"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"samples": 64, "task": "digits", "train": 100, "equal": "flop"}


@pytest.mark.slow
class TestMemory(ArenaContract):
    arena = "memory"
    options: ClassVar = {"size": 4, "values": 8}


@pytest.mark.slow
class TestMemoryOfTwoMatrices(ArenaContract):
    arena = "memory"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"size": 4, "values": 8, "state": "2d2", "score": "mean", "operations": "more"}


@pytest.mark.slow
class TestRecall(ArenaContract):
    arena = "recall"
    options: ClassVar = {"steps": 2, "held_out": 16}


class TestProgram(ArenaContract):
    arena = "program"
    options = guessing()


@pytest.mark.slow
class TestRegret(ArenaContract):
    arena = "regret"
    options: ClassVar = {"iterations": 10, "games": 1}


@pytest.mark.slow
class TestRegretAtOnce(ArenaContract):
    arena = "regret"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"iterations": 10, "alternating": False}


@pytest.mark.slow
class TestSequence(ArenaContract):
    arena = "sequence"
    options: ClassVar = {"steps": 2, "held_out": 16, "tasks": "overwrite + parity", "layers": 2}


@pytest.mark.slow
class TestSequenceByLoss(ArenaContract):
    arena = "sequence"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"steps": 2, "held_out": 16, "tasks": "hidden_markov", "metric": "loss", "equal": "state"}


@pytest.mark.slow
class TestPrograms(ArenaContract):
    arena = "programs"
    options: ClassVar = {"features": 2, "examples": 20, "scored": 5}


@pytest.mark.slow
class TestProgramsOfMatrices(ArenaContract):
    arena = "programs"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"task": "component", "operations": "matrices", "features": 2, "examples": 20}


@pytest.mark.slow
class TestOptimisers(ArenaContract):
    arena = "optimisers"
    options: ClassVar = {"steps": 8, "train": 60, "held_out": 32, "width": 8, "batch": 4}


@pytest.mark.slow
class TestOptimisersOfQuadratics(ArenaContract):
    arena = "optimisers"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"task": "quadratic", "steps": 8, "held_out": 8, "width": 4, "operations": "few"}


@pytest.mark.slow
class TestOptimisersOfDigits(ArenaContract):
    arena = "optimisers"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"task": "digits", "steps": 20, "width": 8, "batch": 4}


@pytest.mark.slow
class TestOptimisersOfBytes(ArenaContract):
    arena = "optimisers"
    test_the_workers_side_imports_nothing_of_the_labs_process = ASKED
    options: ClassVar = {"task": "bytes", "steps": 4, "width": 8, "batch": 2, "length": 8, "held_out": 8}


SUITES = (
    TestAdaptation,
    TestCoinflip,
    TestDigits,
    TestLocalLearning,
    TestMemory,
    TestOptimisers,
    TestProgram,
    TestPrograms,
    TestRecall,
    TestRegret,
    TestSequence,
)


def test_no_built_in_arena_is_left_out():
    assert sorted(suite.arena for suite in SUITES) == sorted(BUILT_IN[Kind.ARENA])


@pytest.mark.parametrize("suite", SUITES)
def test_a_built_in_arena_names_an_unknown_gene_and_knows_the_size_of_its_baseline(suite):
    problem = build(Kind.ARENA, suite.arena, suite.options)
    with pytest.raises(StudyError, match=r"unknown gene|a file of a program"):
        problem.space.validate({"no such gene": 1})
    assert problem.cost(problem.space.validate(problem.spec.baseline)).parameters > 0 or suite.arena == "program"


@pytest.mark.parametrize("suite", SUITES)
def test_an_arena_with_its_default_options_is_as_admissible(suite):
    if suite is not TestProgram:
        problem = build(Kind.ARENA, suite.arena, {})
        assert problem.cost(problem.space.validate(problem.spec.baseline)).parameters > 0


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        StudyError,
        match=r"arena: there is no 'x'; choose from adaptation, coinflip, digits, local-learning, memory, optimisers",
    ):
        wiring.check(coin_study(arena="x"))
