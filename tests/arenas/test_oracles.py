"""Nobody makes the truth from what a candidate is told, and who could is named before the budget is spent."""

from __future__ import annotations

import programs
import pytest

from novum import Budget
from novum.arenas.program import trial as worker
from novum.arenas.program.arena import ProgramArena
from novum.arenas.program.run_stages import SEEDS, candidate_seed
from novum.core.model.candidate import Candidate
from novum.core.model.study import Study
from novum.core.model.trial import ArtefactError, Trial, TrialGroup
from novum.lab.preflight import preflight

ORACLE = """
import json, random, sys
seed = int(sys.argv[1])
json.dump(3.0 + 0.1 * random.Random(seed).random(), open("answer.json", "w"))
"""
CONSTANT = """
import json
json.dump(3.05, open("target.json", "w"))
json.dump("start", open("hint.json", "w"))
"""


def scores(options, seeds=range(20)):
    arena = ProgramArena(options)
    trials = tuple(Trial(f"g.{n}", 10**9 + 7919 * seed) for n, seed in enumerate(seeds))
    group = TrialGroup("g", Candidate(arena.space.validate({})), trials, options)
    outputs = worker.run(group)
    return [arena.score(group, one, output.artefact).value for one, output in zip(group.trials, outputs, strict=True)]


def test_a_candidate_that_guesses_the_generator_knows_no_truth(tmp_path):
    """The same guess hits exactly with the seed that prepare gets, which no candidate is told."""
    found = scores(programs.options(tmp_path, {"main.py": ORACLE}))
    assert max(found) < 0.0
    assert sum(found) / len(found) < -0.02, "no better than a random number from the same range"


def test_the_seed_of_a_candidate_is_another_for_each_trial_and_repeats():
    seeds = [candidate_seed(n) for n in range(2000)]
    assert len(set(seeds)) == len(seeds)
    assert seeds == [candidate_seed(n) for n in range(2000)]
    assert all(0 <= seed < SEEDS for seed in seeds)
    assert not {seed for n, seed in enumerate(seeds) if seed == n}


@pytest.mark.parametrize(
    ("prepare", "ok", "words"),
    [(programs.PREPARE, True, "neither the seed"), (CONSTANT, None, "the same for every seed")],
)
def test_the_preflight_tries_the_obvious_ways(tmp_path, prepare, ok, words):
    options = programs.options(tmp_path / "src", {"prepare.py": prepare})
    study = Study("guess", "program", executor="inline", options=options)
    found = preflight(study, Budget(trials=400), tmp_path / "lab")
    (check,) = [one for one in found.checks if one.name == "truth"]
    assert check.ok is ok
    assert words in check.words


def test_a_truth_that_an_obvious_seed_gives_is_named(tmp_path):
    modular = programs.PREPARE.replace("int(sys.argv[1])", "int(sys.argv[1]) % 2")
    arena = ProgramArena(programs.options(tmp_path, {"prepare.py": modular}))
    trial = Trial("g.0", 10**6)
    group = TrialGroup("g", Candidate(arena.space.validate({})), (trial,), {})
    assert "0" in arena.guessed(group, trial)
    assert "42" in arena.guessed(group, trial)
    assert "1" not in arena.guessed(group, trial)


def test_an_undeclared_package_is_named_with_what_to_do(tmp_path):
    options = programs.options(tmp_path, {"main.py": "import numpy\n"})
    arena = ProgramArena(options)
    group = TrialGroup("g", Candidate(arena.space.validate({})), (Trial("g.0", 1),), options)
    (output,) = worker.run(group)
    with pytest.raises(ArtefactError, match=r"numpy is installed, .* add it to program\.packages"):
        arena.score(group, group.trials[0], output.artefact)
