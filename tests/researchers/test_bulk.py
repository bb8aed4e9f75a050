"""Searches outside the record: what they find is proposed like any idea, and what they take is charged."""

import random
import time

import pytest

from novum.api import read_lab, run
from novum.core.model.budget import Budget
from novum.core.model.errors import StudyError, UserError
from novum.core.model.proposal import Pending
from novum.core.model.study_view import BudgetLeft, StudyView
from novum.registry import Kind, build
from novum.studies.load import load_study
from novum.views.campaign_summary import summarise

pytestmark = pytest.mark.slow
OPTIONS = {"features": 2, "examples": 20, "scored": 5}


def view(arena="programs", options=OPTIONS, **changes):
    """A study at its beginning."""
    problem = build(Kind.ARENA, arena, options)
    baseline = problem.space.validate(problem.spec.baseline)
    return StudyView(problem.spec, problem.space, 1, baseline, (), frozenset(), **changes)


def found(researcher, seen):
    """The proposal at the end of a search."""
    until = time.monotonic() + 120
    while isinstance(said := researcher.propose(seen, random.Random(1)), Pending):
        assert researcher.pending
        assert time.monotonic() < until
        time.sleep(0.05)
    return said


def test_it_waits_for_its_search_and_proposes_what_that_found_with_what_it_took():
    pytest.importorskip("numba")
    researcher, seen = build(Kind.RESEARCHER, "bulk", {"cpu_seconds": 0.3}), view()
    said = found(researcher, seen)
    assert seen.space.validate(said.genome) == said.genome
    assert said.searched >= 5_000
    assert said.search_seconds > 0.2
    assert not researcher.pending


def test_it_begins_no_search_that_the_budget_does_not_pay_for():
    researcher = build(Kind.RESEARCHER, "bulk", {})
    assert researcher.propose(view(means=BudgetLeft(cpu_seconds=0.5)), random.Random(1)) is None


def test_an_arena_without_a_search_is_named():
    with pytest.raises(StudyError, match="arena 'coinflip' has no search of its own"):
        build(Kind.RESEARCHER, "bulk", {}).propose(view("coinflip", {}), random.Random(1))


def test_a_search_that_fails_is_told_with_its_last_words():
    pytest.importorskip("numba")
    researcher, seen = build(Kind.RESEARCHER, "bulk", {"cpu_seconds": 0.3}), view()
    object.__setattr__(seen.space, "searcher", "novum.no_such_module")
    with pytest.raises(UserError, match=r"ended without a result: .*No module named"):
        found(researcher, seen)


def test_closing_ends_the_search():
    pytest.importorskip("numba")
    researcher = build(Kind.RESEARCHER, "bulk", {"cpu_seconds": 60})
    assert isinstance(researcher.propose(view(), random.Random(1)), Pending)
    process = researcher._running._process
    researcher.close()
    assert process.returncode is not None
    assert not researcher.pending


def test_searches_are_paid_from_the_budget_and_recorded(tmp_path):
    pytest.importorskip("numba")
    file = tmp_path / "study.toml"
    file.write_text(
        'name = "few"\nquestion = "?"\narena = "programs"\nexecutor = "inline"\n'
        '[options]\nfeatures = 2\nexamples = 20\nscored = 5\n[researcher]\nname = "bulk"\noptions.cpu_seconds = 1\n'
    )
    study = load_study(str(file)).study
    run(study, Budget(cpu_seconds=6), tmp_path / "lab", force=True)
    state = read_lab(tmp_path / "lab")
    taken = state.spending.lab.cpu_seconds
    assert state.spending.searched >= 10_000
    assert 1.0 < taken < 9.0
    assert state.spending.authors["bulk"].cpu_seconds > taken
    assert summarise(state).cpu_seconds == pytest.approx(taken + state.cpu_seconds, abs=0.01)
    assert state.spent.cpu_seconds == pytest.approx(taken + state.cpu_seconds + state.set_aside.cpu_seconds)
