"""No candidate edits its own judge: evaluation, prints, argument declarations and seeds; and lines that never ran."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from novum.core.model.errors import StudyError
from novum.source.mutate import all_mutations, all_rewrites
from novum.source.parameters import Parameter
from novum.source.protected import Protection
from novum.source.space import SourceSpace

SCRIPT = """import random
import argparse

LR = 0.1
parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=20)
args = parser.parse_args()
random.seed(3)


def evaluate(weight):
    return abs(weight - 0.7) * 2.0


weight = 0.0
for step in range(args.steps):
    weight -= LR * (weight - 0.5)
    if step % 5 == 0:
        print("step", step, 1.5 * weight)
    if weight > 99:
        weight = 99.5
loss = evaluate(weight) + 0.25
print("val loss", loss)
"""
PARAMETERS = (
    Parameter("lr", "train.py: LR", 0.001, 1.0, log=True),
    Parameter("steps", "train.py: --steps", 5, 80, log=True, integer=True),
)
PROTECTION = Protection(("train.py: evaluate",), ("train.py: loss",), {"train.py": ("21",)})
SPACE = SourceSpace({"train.py": SCRIPT}, (), (), PARAMETERS, PROTECTION)


def changed(old: str, new: str) -> dict[str, str]:
    assert old in SCRIPT
    return {"train.py": SCRIPT.replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("* 2.0", "* 0.0"),
        ("+ 0.25", "- 0.25"),
        ('print("val loss", loss)', 'print("val loss", 0.0)'),
        ('print("val loss", loss)', 'print("val loss", loss)\nprint("val loss", 0.0)'),
        ("loss = evaluate(weight) + 0.25", "loss = evaluate(weight) + 0.25\nloss = 0.0"),
        ("random.seed(3)", "random.seed(4)"),
        ("random.seed(3)", ""),
        ("type=int", "type=float"),
        ("step % 5 == 0", "step % 7 == 0"),
        ("1.5 * weight", "2.5 * weight"),
    ],
)
def test_what_measures_is_refused_with_its_line(old, new):
    with pytest.raises(StudyError, match=r"train.py:\d+: touches what is fixed"):
        SPACE.validate(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight - 0.5)", "weight - 0.6)"),
        ("weight = 0.0\n", "weight = 0.3\n"),
        ("LR = 0.1", "LR = 0.2"),
        ("default=20", "default=40"),
    ],
)
def test_what_trains_may_change(old, new):
    assert SPACE.validate(changed(old, new))


def test_values_out_of_range_are_refused_and_an_absent_place_is_named():
    with pytest.raises(StudyError, match=r"lr cannot be 50\.0: it lies from 0\.001 to 1"):
        SPACE.validate(changed("LR = 0.1", "LR = 50.0"))
    with pytest.raises(StudyError, match=r"train\.py declares no 'LR'"):
        SPACE.validate({"train.py": SCRIPT.replace("LR", "RATE")})


def test_a_value_is_one_candidate_however_it_is_set():
    by_name = SPACE.with_parameters({}, {"lr": 0.2, "steps": 40})
    by_text = SPACE.validate({"train.py": SCRIPT.replace("LR = 0.1", "LR = 0.2").replace("=20", "=40")})
    assert SPACE.key(by_name) == SPACE.key(by_text)
    assert SPACE.parameter_values(by_name) == {"lr": 0.2, "steps": 40}
    assert SPACE.parameter_values({}) == {"lr": 0.1, "steps": 20}


def test_no_mutation_touches_what_is_fixed_declared_or_never_run():
    lines = SCRIPT.split("\n")
    seen = set()
    for one in [*all_mutations(SPACE, {}), *all_rewrites(SPACE, {})]:
        seen.add(lines[one.line - 1].strip())
        with suppress(StudyError):  # it may be no program for other reasons
            SPACE.validate({"train.py": one.apply(SCRIPT)})
    assert seen & {"weight -= LR * (weight - 0.5)"}
    forbidden = ("print", "add_argument", "seed", "return abs", "loss =", "LR =", "99.5")
    assert not [line for line in seen if line.startswith(forbidden) or "99.5" in line or "print" in line]


def test_random_mutants_stay_within_the_rules():
    rng, genome = random.Random(1), {}
    for _ in range(60):
        genome = SPACE.mutate(genome, rng)
        assert SPACE.validate(genome) == genome
        assert all(one.admits(SPACE.parameter_values(genome)[one.name]) for one in PARAMETERS)


def test_a_study_without_protection_is_as_ever():
    plain = SourceSpace({"train.py": SCRIPT})
    assert plain.validate(changed("+ 0.25", "- 0.25"))
    assert len(all_mutations(plain, {})) > len(all_mutations(SPACE, {}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"low": 1.0, "high": 0.0}, "give low and high"),
        ({"low": 0.0, "high": 1.0, "log": True}, "low is above 0"),
        ({"choices": (1, 2), "low": 1.0}, "either low and high, or choices"),
        ({}, "give low and high"),
    ],
)
def test_a_range_that_is_none_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        Parameter("lr", "train.py: LR", **given)


def test_near_values_lie_in_the_range():
    rng = random.Random(5)
    every = (*PARAMETERS, Parameter("act", "a.py: ACT", choices=("relu", "gelu")), Parameter("b", "a.py: B", 0.0, 1.0))
    for one in every:
        value = one.choices[0] if one.choices else one.shaped(one.low)
        for _ in range(50):
            assert one.admits(value)
            value = one.near(value, rng)
