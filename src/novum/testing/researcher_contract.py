"""What every researcher that proposes at once promises, as a suite of tests for authors."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from novum.core.model.candidate import Candidate, CandidateSpace, Setting, Space
from novum.core.model.errors import StudyError
from novum.core.model.ports import Arena, Researcher
from novum.core.model.proposal import Pending, Proposal
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.core.model.verdict import Verdict
from novum.registry import Kind
from novum.testing.part_under_test import hold, hold_unknown_option_named, made, name_of

IDEAS, DRAWS, DIFFERENT = 60, 40, 5


class ResearcherContract:
    """Derive a class `Test...` from it and name your researcher."""

    researcher: ClassVar[Any] = None
    """"package.module:Class" as in a study, the class, or an object."""
    options: ClassVar[Setting] = {}
    arenas: ClassVar[Sequence[Any]] = ("coinflip",)
    """What it is tried on, named in the same way or as (name, options). Who asks a model or people, and so gives
    Pending, is not for this suite."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each test that asks for an arena is run on all of them."""
        if "on" in metafunc.fixturenames:
            names = [name_of(one[0] if isinstance(one, tuple) else one) for one in self.arenas]
            metafunc.parametrize("on", self.arenas, ids=names)

    @pytest.fixture
    def problem(self, on: Any) -> Arena:
        """An arena to propose for."""
        part, options = on if isinstance(on, tuple) else (on, {})
        found: Arena = made(Kind.ARENA, part, options)
        return found

    def made(self) -> Researcher:
        """The researcher, made anew."""
        found: Researcher = made(Kind.RESEARCHER, self.researcher, self.options)
        return found

    def test_it_is_a_function_of_view_and_randomness(self, problem: Arena) -> None:
        seen, one, other = _view(problem), self.made(), self.made()
        for number in range(3):
            first, again, anew = (who.propose(seen, random.Random(number)) for who in (one, one, other))
            hold(
                first == again == anew,
                "propose(view, rng) gives another proposal for the same view and the same rng: draw from `rng` alone, "
                "and keep nothing that `view` does not tell again after a restart",
            )

    def test_chance_leads_to_different_ideas(self, problem: Arena) -> None:
        seen, researcher = _view(problem), self.made()
        drawn = {Candidate(_proposal(researcher, seen, n).genome).id for n in range(DRAWS)}
        hold(len(drawn) > DIFFERENT, f"{DRAWS} random generators lead to {len(drawn)} different ideas: use `rng`")

    def test_it_proposes_admitted_new_genomes_with_a_prediction(self, problem: Arena) -> None:
        researcher, known, tried = self.made(), set[str](), list[PastHypothesis]()
        for number in range(IDEAS):
            seen = _view(problem, tuple(tried), frozenset(known), number)
            if known and _exhausted(problem.space, known):
                break
            proposal = _proposal(researcher, seen, number)
            _check(proposal, problem, known, {one.id for one in tried})
            known.add(Candidate(proposal.genome).id)
            score = random.Random(number).gauss(0, 1)
            tried.append(PastHypothesis(f"h{number}", proposal.genome, score, Verdict.REFUTED))

    def test_it_gives_up_when_everything_was_tried(self, problem: Arena) -> None:
        if not isinstance(problem.space, Space):
            pytest.skip("a space of programs has no end")
        gene = problem.space.genes[0]
        everything = frozenset(Candidate({gene.name: value}).id for value in gene.choices)
        spec = replace(problem.spec, baseline={gene.name: gene.choices[0]})
        said = self.made().propose(_view_of(Space((gene,)), spec, (), everything), random.Random(0))
        hold(
            said is None,
            f"with every genome in view.known, propose gives {said!r}: return None after a bounded number of tries, as "
            "the lab would refuse a duplicate",
        )

    def test_unknown_options_are_named(self) -> None:
        hold_unknown_option_named(Kind.RESEARCHER, self.researcher, self.options)


def _exhausted(space: CandidateSpace, known: set[str]) -> bool:
    """Whether chance finds nothing in a space that was not proposed yet."""
    rng = random.Random(4)
    return all(Candidate(space.sample(rng)).id in known for _ in range(IDEAS))


def _view(problem: Arena, tried: Any = (), known: Any = frozenset(), number: int = 1) -> StudyView:
    return _view_of(problem.space, problem.spec, tried, known, number)


def _view_of(space: CandidateSpace, spec: Any, tried: Any, known: Any, number: int = 1) -> StudyView:
    return StudyView(spec, space, number, space.validate(spec.baseline), tried, known)


def _proposal(researcher: Researcher, seen: StudyView, seed: int) -> Proposal:
    said = researcher.propose(seen, random.Random(seed))
    if isinstance(said, Pending):
        return pytest.fail("propose gives Pending: this suite is for researchers that propose at once", pytrace=False)
    if said is None:
        return pytest.fail("propose gives None although untried genomes are left", pytrace=False)
    return said


def _check(proposal: Proposal, problem: Arena, known: set[str], tried: set[str]) -> None:
    """Hold one proposal to what the lab asks of it."""
    try:
        genome = problem.space.validate(proposal.genome)
    except StudyError as error:
        pytest.fail(f"the genome of a proposal is not admitted: {error}", pytrace=False)
    hold(genome == proposal.genome, "a genome is not in normal form: pass it through view.space.validate")
    hold(Candidate(genome).id not in known, "a candidate in view.known is proposed again: the lab refuses duplicates")
    hold(0 <= proposal.probability <= 1, f"probability is {proposal.probability}: give a chance between 0 and 1")
    hold(math.isfinite(proposal.effect), f"effect is {proposal.effect}: give the expected gain in metric units")
    hold(bool(proposal.rationale), "rationale is empty: say in a few words why this should be better")
    unknown = set(proposal.parents) - tried
    hold(not unknown, f"parents {sorted(unknown)} are no hypotheses of view.tried: give their ids")
