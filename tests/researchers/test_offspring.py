"""Children of two have what they have from them, and who does not ask for crossover does not notice it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from novum.core.model.candidate import Candidate, Crosses, Gene, Genome, Space
from novum.core.model.study_view import PastHypothesis, StudyView
from novum.registry import Kind, build
from novum.researchers.archive import ArchiveResearcher
from novum.researchers.evolve import EvolveResearcher
from novum.researchers.offspring import is_crossed

SEQUENCES = build(Kind.ARENA, "sequence", {"layers": 4})
STACKS = SEQUENCES.space
PLAIN = Space(tuple(Gene(f"gene{number}", tuple(range(5))) for number in range(8)))


class Uncrossed:
    """The same space without crossover."""

    def __init__(self, inner: Space) -> None:
        self.validate, self.key, self.sample, self.mutate = inner.validate, inner.key, inner.sample, inner.mutate


def view(space: Space | Uncrossed, seed: int) -> StudyView:
    rng = random.Random(seed)
    past = tuple(PastHypothesis(f"h{n}", space.sample(rng), rng.gauss(0, 1), None) for n in range(12))
    incumbent = space.validate({})
    return StudyView(SEQUENCES.spec, space, 13, incumbent, past, frozenset({Candidate(incumbent).id}))  # type: ignore[arg-type]


def test_a_child_has_each_gene_from_either_parent_about_as_often():
    rng = random.Random(0)
    firsts = 0
    for _ in range(500):
        one, other = ({gene.name: rng.randrange(low, low + 2) for gene in PLAIN.genes} for low in (0, 2))
        child = PLAIN.cross(one, other, rng)
        assert all(value in (one[name], other[name]) for name, value in child.items())
        firsts += sum(child[name] == one[name] for name in child)
    assert abs(firsts - 2000) < 6 * 32


def test_a_child_of_stacks_has_layers_cut_at_one_place_and_every_other_gene_from_a_parent():
    """What the normal form makes of it is left to that: before, nothing is there that no parent has."""
    raw = replace(STACKS, canonical=dict)
    rng, cuts = random.Random(1), set[int]()
    for seed in range(500):
        one, other = STACKS.sample(rng), STACKS.sample(rng)
        child = raw.cross(one, other, random.Random(seed))
        layers = [child[name] for name in STACKS.order]
        fits = {
            cut
            for cut in range(len(layers) + 1)
            if layers == [(one if at < cut else other)[name] for at, name in enumerate(STACKS.order)]
        }
        assert fits
        cuts |= fits if len(fits) == 1 else set()
        assert all(child[name] in (one[name], other[name]) for name in child if name not in STACKS.order)
        assert STACKS.cross(one, other, random.Random(seed)) == STACKS.validate(child)
    assert cuts == set(range(len(STACKS.order) + 1))


@pytest.mark.parametrize("space", [PLAIN, STACKS], ids=["plain", "stacks"])
def test_the_child_of_one_is_that_one(space):
    rng = random.Random(2)
    for _ in range(50):
        one = space.sample(rng)
        assert space.cross(one, one, rng) == one


def test_evolution_without_crossover_is_as_in_a_space_that_has_none():
    without = Uncrossed(PLAIN)
    assert isinstance(PLAIN, Crosses) and not isinstance(without, Crosses)
    for seed in range(40):
        first, second = (EvolveResearcher().propose(view(one, seed), random.Random(seed)) for one in (PLAIN, without))
        assert first == second
        asked = EvolveResearcher(crossover=1.0).propose(view(without, seed), random.Random(seed))
        assert asked == first  # and nothing is drawn for what cannot be


def test_nothing_is_drawn_where_nothing_is_crossed():
    rng = random.Random(0)
    before = rng.getstate()
    assert not is_crossed(PLAIN, 0.0, rng) and not is_crossed(Uncrossed(PLAIN), 1.0, rng)
    assert rng.getstate() == before


def test_evolution_crosses_as_often_as_it_is_told():
    researcher = EvolveResearcher(explore=0, crossover=0.5)
    said = [researcher.propose(view(PLAIN, seed), random.Random(seed)) for seed in range(400)]
    crossed = [one for one in said if "crossed with" in one.rationale]
    assert 100 < len(crossed) < 300
    for seed, one in enumerate(said):
        if "crossed with" in one.rationale:
            seen = view(PLAIN, seed)
            by_id: dict[str, Genome] = {past.id: past.genome for past in seen.tried}
            parents = [*(by_id[name] for name in one.parents), seen.incumbent]
            assert all(any(parent[name] == value for parent in parents) for name, value in one.genome.items())


def test_an_archive_over_a_space_that_cannot_cross_mutates():
    for seed in range(20):
        proposal = ArchiveResearcher(crossover=1.0, explore=0.0).propose(view(Uncrossed(PLAIN), seed), random.Random(0))
        assert len(proposal.parents) <= 1 and "crossed" not in proposal.rationale


def test_mutants_of_stacks_with_empty_places_are_stacks():
    rng = random.Random(3)
    lengths = set[int]()
    for _ in range(300):
        layers = ["gru", *rng.choice(([], ["conv"])), *["empty"] * 3]
        genome = STACKS.validate(dict(zip(STACKS.order, layers, strict=False)))
        child = STACKS.mutate(genome, rng)
        assert child == STACKS.validate(child) != genome
        lengths.add(sum(child[name] != "empty" for name in STACKS.order))
    assert lengths >= {1, 2, 3}
