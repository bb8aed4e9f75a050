"""Programs: how they are read, written, varied and brought to a normal form, which computes the same."""

import random

import numpy as np
import pytest

from novum.core.model.errors import StudyError
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.interpreter import fresh_registers, run
from novum.symbolic.normal_form import normal_form
from novum.symbolic.operations import OPERATIONS
from novum.symbolic.program import Program, read, written
from novum.symbolic.program_language import Component, Language
from novum.symbolic.program_space import ProgramSpace
from novum.symbolic.variation import crossed, mutated, random_program

SIZE, LANES = 3, 2
LANGUAGE = Language(
    ("y", "p", "a", "b"),
    ("x", "w", "u"),
    ("W", "U"),
    (Component("setup", 4, once=True), Component("predict", 6, ("x",), ("p",)), Component("learn", 8, ("y",))),
    tuple(one.name for one in OPERATIONS),
    ("W",),
)
SPACE = ProgramSpace(LANGUAGE)


def said(program, seed=0):
    """What a program predicts over six examples."""
    rng = np.random.default_rng(seed)
    registers = fresh_registers(LANGUAGE, SIZE, LANES)
    registers["W"] = rng.normal(size=registers["W"].shape)
    run(program.parts[0], registers)
    out = []
    for _ in range(6):
        registers["x"] = rng.normal(size=(SIZE, LANES))
        run(program.parts[1], registers)
        out.append(registers["p"])
        registers["y"] = rng.normal(size=LANES)
        run(program.parts[2], registers)
    return np.array(out)


def test_texts_and_programs_are_two_forms_of_the_same():
    rng = random.Random(0)
    for _ in range(200):
        program = random_program(LANGUAGE, rng)
        pairs = zip(program.parts, LANGUAGE.components, strict=True)
        assert Program(tuple(read(written(part), LANGUAGE, one) for part, one in pairs)) == program


def test_the_normal_form_says_the_same_in_fewer_instructions_and_is_its_own_normal_form():
    rng, shorter = random.Random(1), 0
    for _ in range(300):
        program = random_program(LANGUAGE, rng)
        found = normal_form(program, LANGUAGE)
        assert np.array_equal(said(program), said(found), equal_nan=True)
        assert normal_form(found, LANGUAGE) == found
        shorter += len(found) < len(program)
    assert shorter > 100


def test_what_differs_in_names_or_order_of_operands_alone_is_one_candidate():
    one = {"setup": "a = 0.1", "predict": "p = dot(w, x)", "learn": "p = y - p; p = a * p; u = p * x; w = w + u"}
    other = {"setup": "b = 0.1", "predict": "p = dot(x, u)", "learn": "p = y - p; p = p * b; w = p * x; u = w + u"}
    dead = {**one, "learn": one["learn"] + "; a = a + b; u = w * w", "setup": "a = 0.3; a = 0.1"}
    assert SPACE.key(one) == SPACE.key(other) != SPACE.key(dead)  # a + b keeps a for the next step: not dead
    assert SPACE.key(one) == SPACE.key({**one, "learn": one["learn"] + "; u = w * w", "setup": "a = 0.3; a = 0.1"})


def test_variations_stay_in_the_language_and_move():
    rng = random.Random(2)
    program, moved = random_program(LANGUAGE, rng), 0
    for _ in range(500):
        child = mutated(program, LANGUAGE, rng)
        moved += child != program
        SPACE.validate(SPACE.genome(crossed(program, child, LANGUAGE, rng)))
        program = child
    assert moved > 350


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q = a + b", "does not write a register"),
        ("p = dot(x, a)", "is no instruction"),
        ("p = W + W", "is no instruction"),
        ("a = 11.0", "is not between -10 and 10"),
        ("a = nan", "is not between"),
        ("a", "does not write a register"),
        ("a = 1.2.3", "has no number"),
        ("; ".join(["p = a + b"] * 7), "at most 6 are allowed"),
    ],
)
def test_what_is_no_program_is_named(text, words):
    with pytest.raises(StudyError, match=words):
        SPACE.validate({"predict": text})


def test_costs_are_those_of_the_papers():
    delta = read("u = W @ x; u = w - u; U = outer(u, x); W = W + U", LANGUAGE, LANGUAGE.components[2])
    assert flop(delta, 10) == 2 * 100 + 10 + 100 + 100
    program = SPACE.program({"predict": "u = W @ x; p = sum(u)", "learn": "U = outer(x, x); W = W + U"})
    assert state_floats(program, LANGUAGE, 10) == 100
