"""The compiled interpreter against the one in numpy."""

import random

import numpy as np
import pytest

from novum.symbolic import interpreter
from novum.symbolic.language_tables import Tables
from novum.symbolic.machine import LANES, Layout, assembled
from novum.symbolic.operations import OPERATIONS
from novum.symbolic.program_language import Component, Language
from novum.symbolic.variation import random_program

pytestmark = pytest.mark.slow
SIZE = 5
LANGUAGE = Language(
    ("y", "p", "a", "b"),
    ("x", "w", "u"),
    ("W", "U"),
    (Component("setup", 6, once=True), Component("predict", 8, ("x",), ("p",)), Component("learn", 11, ("x", "y"))),
    tuple(one.name for one in OPERATIONS),
    ("W",),
)
LAYOUT = Layout(LANGUAGE, SIZE)


def test_a_thousand_random_programs_compute_bit_for_bit_what_plain_numpy_does():
    from novum.symbolic.kernel import execute

    rng, numbers, used = random.Random(1), np.random.default_rng(0), set()
    for _ in range(1000):
        program = random_program(LANGUAGE, rng)
        used |= {one.operation for one in program}
        code, memory = assembled(program, LAYOUT), LAYOUT.memory()
        registers = interpreter.fresh_registers(LANGUAGE, SIZE, LANES)
        for name in ("x", "w", "W", "y"):
            registers[name] = numbers.normal(size=registers[name].shape)
            at = LAYOUT.addresses[name]
            memory[at : at + registers[name].size] = registers[name].reshape(-1)
        for part in (0, 1, 2, 1, 2):
            execute(
                memory, code.words, code.constants, code.bounds[part], code.bounds[part + 1],
                np.uint64(SIZE), np.uint64(LAYOUT.scratch),
            )  # fmt: skip
            interpreter.run(program.parts[part], registers)
        for name, at in LAYOUT.addresses.items():
            ours = memory[at : at + registers[name].size]
            assert np.array_equal(ours, registers[name].reshape(-1), equal_nan=True), (name, program)
    assert used == {one.name for one in OPERATIONS}


def test_arrays_of_a_program_are_a_form_of_it():
    tables, rng = Tables(LANGUAGE), random.Random(3)
    for _ in range(100):
        program = random_program(LANGUAGE, rng)
        assert tables.decoded(*tables.encoded(program)) == program


def test_compiled_liveness_finds_what_the_normal_form_finds():
    from novum.symbolic.evolution_kernel import find_effective
    from novum.symbolic.normal_form import without_dead

    tables, rng = Tables(LANGUAGE), random.Random(4)
    effective = np.zeros(tables.slots, np.bool_)
    for _ in range(300):
        program = random_program(LANGUAGE, rng)
        raw, constants = tables.encoded(program)
        find_effective(raw, tables.parts, tables.masks, tables.ops, effective)
        raw[~effective, 0] = -1
        assert tables.decoded(raw, constants) == without_dead(program, LANGUAGE)
