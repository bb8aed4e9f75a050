"""The archive keeps the best of every kind, draws parents uniformly from it, and gets past what is deceptive."""

from __future__ import annotations

import random
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labs import coin_study, events, in_memory
from scipy.stats import chi2

from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.model.budget import Budget
from novum.core.model.candidate import Candidate, Cost, Gene, Space
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.study import ResearcherSettings
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.core.model.trial_plan import Purpose
from novum.core.state.study_views.researcher_view import view_of
from novum.registry import Kind, build
from novum.researchers.archive import UNKNOWN, ArchiveResearcher, Solution, elites_of, quantiles, solutions_of
from novum.researchers.evolve import EvolveResearcher
from novum.researchers.offspring import Parent

COINS = build(Kind.ARENA, "coinflip", {})
SEQUENCES = build(Kind.ARENA, "sequence", {"layers": 3})
TALL, WIDE = (Metric(name, higher_is_better=True, resolution=0.01) for name in ("tall", "wide"))
BITS = Space(tuple(Gene(f"bit{number}", (0, 1)) for number in range(24)))


def view(past, space=BITS, metrics=(TALL, WIDE), **more) -> StudyView:
    """What a researcher sees of such a past, in which the incumbent has the first choice of every gene."""
    incumbent = space.validate({})
    known = frozenset({Candidate(incumbent).id, *(Candidate(one.genome).id for one in past)})
    spec = replace(COINS.spec, metrics=tuple(metrics))
    return StudyView(spec, space, len(past) + 1, incumbent, tuple(past[-64:]), known, past=tuple(past), **more)


def screened(number: int, genome, advantage: float, compute=None, cost=None, **others: float) -> PastHypothesis:
    return PastHypothesis(f"h{number}", genome, advantage, None, compute=compute, others=others, cost=cost)


def some_past(seed: int, count: int, space=BITS) -> list[PastHypothesis]:
    """Different candidates with scores and behaviour at random; some failed, some values are not known."""
    rng = random.Random(seed)
    found: dict[str, PastHypothesis] = {}
    while len(found) < count:
        genome = space.sample(rng)
        others = {"tall": rng.choice((rng.random(), 0.5)), "wide": float(rng.randrange(4))}
        advantage = rng.choice((rng.gauss(-0.1, 1), -float("inf")) if not others["wide"] else (rng.gauss(0, 1),))
        compute = rng.choice((None, rng.uniform(0.5, 2)))
        if genome != space.validate({}):
            found[Candidate(genome).id] = screened(len(found), genome, advantage, compute, **others)
    return list(found.values())


CELLS = st.lists(
    st.tuples(st.integers(-8, 8), st.dictionaries(st.sampled_from(("a", "b")), st.integers(0, 9))), min_size=1
)
BOUNDS = st.lists(st.integers(0, 9), unique=True, max_size=3).map(sorted)


@given(CELLS, BOUNDS, BOUNDS)
def test_an_elite_is_the_first_of_the_best_of_its_cell(drawn, a, b):
    solutions = [Solution(Parent({}, str(number), gain), where) for number, (gain, where) in enumerate(drawn)]
    members = defaultdict(list)
    for one in solutions:
        place = [one.behaviour.get(axis) for axis in ("a", "b")]
        inside = [
            UNKNOWN if at is None else sum(at >= start for start in bounds)
            for at, bounds in zip(place, (a, b), strict=True)
        ]
        members[tuple(inside)].append(one.parent)
    elites = elites_of(solutions, {"a": a, "b": b})
    assert elites.keys() == members.keys()
    for cell, here in members.items():
        best = max(one.advantage for one in here)
        assert elites[cell] == next(one for one in here if one.advantage == best)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 6))
def test_bins_share_the_distinct_values_out_evenly(values, bins):
    starts, distinct = quantiles(values, bins), sorted(set(values))
    counts = Counter(bisect_right(starts, value) for value in distinct)
    assert len(counts) == min(bins, len(distinct))
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_a_worse_newcomer_never_replaces_an_elite_and_a_better_one_always_does(seed):
    past, researcher, rng = some_past(seed, 40), ArchiveResearcher(), random.Random(seed)
    seen = view(past)
    before = researcher.archive(seen)
    assert 4 < len(before) <= researcher.cells
    old = rng.choice([one for one in past if one.id in {elite.id for elite in before.values()}])
    for difference in (-0.5, 0.0, 0.5):
        genome = {**old.genome, "bit0": 1 - old.genome["bit0"]}
        newcomer = replace(old, id="new", genome=genome, advantage=old.advantage + difference)
        after = researcher.archive(view([*past, newcomer]))
        replaced = {cell: "new" if elite.id == old.id else elite.id for cell, elite in before.items()}
        same = {cell: elite.id for cell, elite in before.items()}
        assert {cell: elite.id for cell, elite in after.items()} == (replaced if difference > 0 else same)


def test_parents_are_uniform_over_the_cells_the_incumbents_among_them():
    corner = [(tall, wide) for tall in (0.0, 1.0, 2.0) for wide in (0.0, 1.0, 2.0)]
    past = [
        screened(3 * at + number, BITS.sample(random.Random(3 * at + number)), -at - number, tall=tall, wide=wide)
        for at, (tall, wide) in enumerate(corner)
        for number in range(3)  # the first is the best
    ]
    seen = view(past, others={"tall": 2.0, "wide": 1.0})  # a cell that the incumbent has taken from h21
    names = {(f"h{3 * at}",) for at in range(9) if at != 7} | {()}
    draws = 3000
    researcher = ArchiveResearcher(explore=0, crossover=0)
    found = Counter(researcher.propose(seen, random.Random(n)).parents for n in range(draws))
    assert found.keys() == names
    expected = draws / len(names)
    assert sum((count - expected) ** 2 / expected for count in found.values()) < chi2.ppf(1 - 1e-6, len(names) - 1)
    pairs = [ArchiveResearcher(explore=0, crossover=1).propose(seen, random.Random(n)).parents for n in range(900)]
    drawn = Counter(name for pair in pairs for name in (pair if len(pair) == 2 else ("", *pair)))
    assert {(name,) if name else () for name in drawn} == names
    assert all(abs(count - 200) < 6 * 12.5 for count in drawn.values())  # 900 pairs, each with two of nine


@pytest.mark.parametrize("crossover", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("space", [BITS, COINS.space, SEQUENCES.space], ids=["bits", "coins", "stacks"])
def test_children_are_admitted_in_normal_form_and_were_not_tried(space, crossover):
    researcher = ArchiveResearcher(explore=0, crossover=crossover)
    for seed in range(6):
        past = some_past(seed, 60, space)
        seen = replace(view(past, space), known=frozenset())  # as against an incumbent that is new
        ids = {one.id for one in past}
        for number in range(10):
            proposal = researcher.propose(seen, random.Random(number))
            assert proposal.genome == space.validate(proposal.genome)
            assert Candidate(proposal.genome).id not in {Candidate(one.genome).id for one in past}
            assert set(proposal.parents) <= ids


def test_the_incumbents_own_lucky_score_does_not_stand_in_its_way():
    seen = view([])
    lucky = screened(1, seen.incumbent, 0.7, tall=1.0)
    assert [one.parent for one in solutions_of(view([lucky], others={"tall": 1.0}))] == [Parent(seen.incumbent)]


def test_the_grid_has_the_first_cost_that_differs_and_no_more_cells_than_allowed():
    rng = random.Random(0)
    past = [
        screened(n, BITS.sample(rng), rng.random(), 1 + n / 9, Cost(7, n, 1e6), tall=rng.random(), wide=rng.random())
        for n in range(200)
    ]
    seen = view(past, others={"tall": 0.5, "wide": 0.5}, cost=Cost(7, 3, 1e6))
    by_state = ArchiveResearcher(behaviour="state_floats, tall,wide, tall").archive(seen)
    assert ArchiveResearcher().archive(seen) == by_state
    assert len(by_state) == 27
    assert len(ArchiveResearcher(cells=26).archive(seen)) == 8
    assert len(ArchiveResearcher(cells=5).archive(seen)) == 4  # without the last axis
    assert len(ArchiveResearcher(behaviour="parameters").archive(seen)) == 1
    assert len(ArchiveResearcher(behaviour="compute", bins=7).archive(seen)) == 7


def test_an_axis_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(
        StudyError, match=r"researcher\.options\.behaviour: there is no 'deep'; choose from tall, wide, st"
    ):
        ArchiveResearcher(behaviour="tall,deep").propose(view([]), random.Random(0))


TRAP = Space(tuple(Gene(f"bit{number}", (0, 1)) for number in range(8)))
ONES = Metric("ones", higher_is_better=True, resolution=0.1)


def trap(researcher, seed: int, proposals: int) -> bool:
    """Whether the optimum of a trap (Deb and Goldberg, 1993) is found: each bit set costs, all of them together pay."""
    past: list[PastHypothesis] = []
    for number in range(proposals):
        seen = view(past, TRAP, (ONES,), others={"ones": 0.0})
        genome = researcher.propose(seen, random.Random(f"{seed}:{number}")).genome
        ones = sum(genome.values())
        if ones == len(TRAP.genes):
            return True
        past.append(screened(number, genome, -0.05 * ones, ones=float(ones)))
    return False


def test_the_archive_finds_what_lies_behind_worse_candidates_of_another_kind():
    """If both found it as often, a difference of 8 of 20 would have a probability below 0.02 (Fisher, one side)."""
    runs, proposals = range(20), 100
    archive = sum(trap(ArchiveResearcher(bins=8), seed, proposals) for seed in runs)
    evolve = sum(trap(EvolveResearcher(), seed, proposals) for seed in runs)
    assert archive >= evolve + 8


class TwoSettings:
    """The coins with a sweep over two settings, which the further metric alone feels."""

    spec = replace(COINS.spec, tuning=({"rate": 1}, {"rate": 2}))
    space, cost = COINS.space, COINS.cost

    def score(self, group, trial, artefact):
        said = COINS.score(group, trial, artefact)
        return replace(said, others={name: value * trial.setting["rate"] for name, value in said.others.items()})


def test_what_researchers_see_of_further_metrics_is_the_mean_of_the_screening_runs_at_the_tuned_setting():
    study = coin_study(researcher=ResearcherSettings("archive"))
    lab = in_memory(study, Budget(trials=600), arena=TwoSettings())
    lab.run()
    said = events(lab)
    plans = {one.plan.id: one.plan for one in said if isinstance(one, GroupDispatched)}
    runs = defaultdict(list)
    for one in said:
        if isinstance(one, TrialFinished) and (plan := plans[one.group]).purpose is Purpose.SCREEN:
            setting = plan.members[one.member].setting
            runs[plan.candidate.id, str(setting)].append(one.others["share of changes"])
    seen = view_of(lab.state, lab.context.arena, 999)
    assert len(seen.past) > 20
    for one in seen.past:
        name = Candidate(one.genome).id
        assert one.others == {
            "share of changes": pytest.approx(statistics.fmean(runs[name, str(lab.state.tuned[name].setting)]))
        }
        assert one.cost == lab.context.arena.cost(one.genome)
    assert seen.others == lab.state.sweep_others[Candidate(seen.incumbent).id]
    assert seen.cost == lab.context.arena.cost(seen.incumbent)
