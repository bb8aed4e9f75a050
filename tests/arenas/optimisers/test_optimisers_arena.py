"""The optimisers arena: its language, scores, costs and data, and what a study may ask for."""

import random
import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest

from novum.arenas import optimisers
from novum.arenas.optimisers.arena import OptimisersArena
from novum.arenas.optimisers.cost import cost, rule_flop, state_floats
from novum.arenas.optimisers.data import answers, held_out_rows, quadratic
from novum.arenas.optimisers.language import ADMITTED, language
from novum.arenas.optimisers.named import RULES
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.score import score
from novum.arenas.optimisers.shapes import shapes
from novum.core.model.errors import StudyError
from novum.core.model.trial import ArtefactError, Role
from novum.studies.load import load_study
from novum.symbolic.mathematics import equations
from novum.symbolic.program_space import ProgramSpace

SPACE = OptimisersArena().space


def test_published_rules_are_different_candidates_of_the_space():
    assert len({SPACE.key(genome) for genome in RULES.values()}) == len(RULES)


def test_texts_with_constants_and_operands_are_read_as_they_are_written():
    rng = random.Random(0)
    for _ in range(200):
        genome = SPACE.sample(rng)
        assert SPACE.validate(genome) == genome
        SPACE.validate(SPACE.mutate(genome, rng))


def test_rules_are_told_as_equations():
    told = equations(SPACE.program(RULES["signum"]), SPACE.language)
    assert told == {"step": ["m <- interp(g, m, 0.9)", "u <- sign(interp(g, m, 0.9))"]}


def test_a_language_without_numbers_has_none_and_one_without_setup_has_no_such_component():
    few = language(Options(operations="few", memory=1, setup=0))
    assert few.registers == ("g", "w", "u", "m")
    assert [one.name for one in few.components] == ["step"]
    with pytest.raises(StudyError, match="there is no operation 'matmul'"):
        language(Options(operations="few + matmul"))


@pytest.mark.parametrize(
    ("name", "matrices", "numbers"),
    [("SGD", 0, 0), ("momentum", 1, 0), ("Lion", 1, 0), ("AdamW", 2, 2), ("Muon", 1, 0), ("NorMuon", 2, 0)],
)
def test_state_is_what_the_papers_say(name, matrices, numbers):
    program = SPACE.program(SPACE.validate(RULES[name]))
    assert state_floats(program, SPACE.language, (6, 5)) == matrices * 30 + numbers
    every = shapes(Options(), 32)
    expected = sum(matrices * rows * columns + numbers for rows, columns in every)
    assert cost(program, SPACE.language, Options()).state_floats == expected


def test_orthogonalisation_dominates_the_arithmetic_of_a_rule():
    flop = {name: rule_flop(SPACE.program(SPACE.validate(RULES[name])), (64, 64)) for name in ("SGD", "Muon")}
    products = 5 * (2 * 64**3 * 3)
    assert flop["SGD"] == 0
    assert products < flop["Muon"] < 1.1 * products


def test_quadratics_have_the_condition_that_is_asked_for():
    task = quadratic(Options(task="quadratic", condition=400.0), Role.SEARCH, 3)
    curvature = np.kron(task.inputs.T @ task.inputs, task.outputs @ task.outputs.T)
    values = np.linalg.eigvalsh(curvature)
    assert values[-1] / values[0] == pytest.approx(400.0, rel=1e-6)
    assert values[-1] == pytest.approx(4.0)


def test_perfect_predictions_score_best_and_a_guess_scores_the_floor():
    options = Options(task="quadratic", held_out=50)
    task, rows = quadratic(options, Role.GATE, 5), held_out_rows(options, Role.GATE, 5)
    truth = (rows @ task.inputs @ task.truth @ task.outputs).astype("<f4")
    assert score(options, Role.GATE, 5, truth.tobytes()) < 1e-8
    assert score(options, Role.GATE, 5, (0 * truth).tobytes()) == OptimisersArena(options).spec.floor
    for name, classes in (("mnist1d", 10), ("bytes", 256)):
        options = Options(task=name, held_out=50)
        right = np.eye(classes, dtype="<f4")[answers(options, Role.GATE, 5)]
        assert score(options, Role.GATE, 5, (50 * right).tobytes()) < 1e-6
        assert score(options, Role.GATE, 5, (0 * right).tobytes()) == pytest.approx(OptimisersArena(options).spec.floor)
        with pytest.raises(ArtefactError, match="finite"):
            score(options, Role.GATE, 5, (np.nan * right).tobytes())


def test_roles_differ_in_width_and_data():
    options = Options(task="quadratic")
    assert [options.units(role) for role in Role] == [32, 48, 64]
    small = replace(options, task="bytes", held_out=20)
    drawn = [tuple(answers(small, role, 1)) for role in Role]
    assert len(set(drawn)) == len(Role)


def test_the_study_is_admitted_and_the_page_lists_every_option_rule_and_operation():
    study = load_study("optimisers").study
    arena = OptimisersArena(Options(**study.options))
    assert arena.space.validate(arena.spec.baseline) == arena.spec.baseline
    assert asdict(arena.options)["task"] == "mnist1d"
    page = (Path(optimisers.__file__).parent / "README.md").read_text()
    told = set(re.findall(r"`(\w+)`", page))
    assert {field.name for field in fields(Options)} <= told
    assert {one.name for one in ADMITTED if not one.name.endswith("_s")} <= told
    for name, genome in RULES.items():
        assert f"| {name} | `{genome['step']}` |" in page or name == "AdamW"
    ProgramSpace(language(arena.options)).validate(RULES["AdamW"])
