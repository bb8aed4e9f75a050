"""One suite per port over every variant: researchers, arenas, governors, evidence rules."""

from __future__ import annotations

import dataclasses
import importlib
import random
import tempfile
from functools import cache
from pathlib import Path

import programs
import pytest
from labs import coin_study

from novum.core.model.arena_spec import unfit
from novum.core.model.candidate import Candidate, Space
from novum.core.model.errors import StudyError
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.core.model.trial import ArtefactError, Trial, TrialGroup
from novum.core.model.verdict import Verdict
from novum.lab import wiring
from novum.registry import BUILT_IN, Kind, build

ARENAS = sorted(BUILT_IN[Kind.ARENA])
RESEARCHERS = sorted(set(BUILT_IN[Kind.RESEARCHER]) - {"inbox", "language"})
"""Those that propose by themselves, and at once."""


CODE = ("code",)
"""Researchers that change programs, and nothing but programs."""

PAIRS = [(who, on) for who in RESEARCHERS for on in ARENAS if who not in CODE or on == "program"]


@cache
def options(name):
    """Options without which an arena is nothing."""
    if name != "program":
        return {}
    with tempfile.TemporaryDirectory() as place:
        return programs.options(Path(place))


def arena(name):
    return build(Kind.ARENA, name, options(name))


def view(space: Space, spec, tried=(), known=frozenset(), number=1) -> StudyView:
    return StudyView(spec, space, number, space.validate(spec.baseline), tried, known)


@pytest.fixture(params=ARENAS)
def problem(request):
    return arena(request.param)


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def pair(request):
    who, on = request.param
    return build(Kind.RESEARCHER, who, {}), arena(on)


def test_a_researcher_is_a_function_of_view_and_randomness(pair):
    researcher, problem = pair
    seen = view(problem.space, problem.spec)
    assert researcher.propose(seen, random.Random(3)) == researcher.propose(seen, random.Random(3))
    drawn = {Candidate(researcher.propose(seen, random.Random(n)).genome).id for n in range(40)}
    assert len(drawn) > 5


def test_a_researcher_proposes_admissible_new_genomes_with_a_prediction(pair):
    researcher, problem = pair
    known, tried = set(), []
    for number in range(60):
        seen = view(problem.space, problem.spec, tuple(tried), frozenset(known), number)
        proposal = researcher.propose(seen, random.Random(number))
        genome = problem.space.validate(proposal.genome)
        assert genome == proposal.genome
        assert Candidate(genome).id not in known
        assert 0 <= proposal.probability <= 1
        assert proposal.rationale
        assert set(proposal.parents) <= {t.id for t in tried}
        known.add(Candidate(genome).id)
        tried.append(PastHypothesis(f"h{number}", genome, random.Random(number).gauss(0, 1), Verdict.REFUTED))


@pytest.mark.parametrize("name", [name for name in RESEARCHERS if name not in CODE])
@pytest.mark.parametrize("on", [name for name in ARENAS if name != "program"])
def test_a_researcher_in_an_exhausted_space_gives_up(name, on):
    researcher, problem = build(Kind.RESEARCHER, name, {}), arena(on)
    space = Space(problem.space.genes[:1])
    everything = frozenset(Candidate({space.genes[0].name: c}).id for c in space.genes[0].choices)
    spec = dataclasses.replace(problem.spec, baseline={space.genes[0].name: space.genes[0].choices[0]})
    assert researcher.propose(view(space, spec, (), everything), random.Random(0)) is None


def test_evolution_prefers_the_offspring_of_the_fit():
    problem, researcher = arena("coinflip"), build(Kind.RESEARCHER, "evolve", {})
    fit = PastHypothesis("fit", {"metal": 4, "edge": 4, "spin": 2, "shade": 7}, 0.3, None)
    poor = [PastHypothesis(f"p{n}", {"metal": 3, "edge": 1, "spin": 3, "shade": n}, -0.3, None) for n in range(5)]
    seen = view(problem.space, problem.spec, (*poor, fit))
    parents = [researcher.propose(seen, random.Random(n)).parents for n in range(200)]
    unfit = sum(parent not in ((), ("fit",)) for parent in parents)
    assert parents.count(("fit",)) > 1.2 * unfit  # one fit among five unfit: chance alone would give a fifth


def test_unknown_options_of_a_researcher_are_named():
    with pytest.raises(StudyError, match=r"researcher\.options\.speed"):
        build(Kind.RESEARCHER, "evolve", {"speed": 3})


def test_an_arena_has_a_spec_a_valid_baseline_and_a_cost(problem):
    spec = problem.spec
    baseline = problem.space.validate(spec.baseline)
    assert problem.space.validate(baseline) == baseline
    assert problem.cost(baseline).parameters > 0 or spec.name == "program"
    assert spec.tuning
    assert spec.resolution > 0
    assert spec.group_size >= 1
    with pytest.raises(StudyError, match=r"unknown gene|a file of a program"):
        problem.space.validate({"no such gene": 1})


def test_the_normal_form_is_stable_and_mutation_changes_it(problem):
    rng = random.Random(1)
    for _ in range(200):
        genome = problem.space.sample(rng)
        assert problem.space.validate(genome) == genome
        child = problem.space.mutate(genome, rng)
        assert child != genome
        assert problem.space.validate(child) == child


def test_an_arena_scores_what_its_worker_delivers_and_nothing_else(problem):
    if problem.spec.requires:
        pytest.importorskip(problem.spec.requires[0])
    program = importlib.import_module(problem.spec.program)
    given = {"steps": 2, "held_out": 16} if problem.spec.name == "recall" else options(problem.spec.name)
    small = build(Kind.ARENA, problem.spec.name, given)
    trials = tuple(Trial(f"t{n}", 1000 + n, small.spec.tuning[0]) for n in range(2))
    group = TrialGroup("g", Candidate(small.space.validate(small.spec.baseline)), trials, given)
    first, again = program.run(group), program.run(group)
    assert [d.artefact for d in first] == [d.artefact for d in again]
    for trial, output in zip(trials, first, strict=True):
        score = small.score(group, trial, output.artefact)
        assert unfit(small.spec, score) is None
        assert set(score.others) == {metric.name for metric in small.spec.metrics}
        for wrong in (b"", output.artefact + b"\x00", b"\xff" * len(output.artefact)):
            with pytest.raises(ArtefactError):
                small.score(group, trial, wrong)


def test_bad_options_of_an_arena_name_the_key(problem):
    with pytest.raises(StudyError, match=r"nonsense"):
        build(Kind.ARENA, problem.spec.name, {"nonsense": 1})


def test_unknown_names_list_the_known_ones():
    with pytest.raises(StudyError, match=r"arena: there is no 'x'; choose from coinflip, digits, program, recall"):
        wiring.check(coin_study(arena="x"))
