"""Genomes, their normal form, what they cost and which are admitted."""

import dataclasses
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.arenas.recall.arena import RecallArena
from novum.arenas.recall.cost import admit, cost
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import GENES, SPACE, Design, canonical
from novum.arenas.recall.spec import BASELINE, SPEC
from novum.core.model.errors import StudyError
from novum.core.model.options import configured, parse_options

genomes = st.fixed_dictionaries({gene.name: st.sampled_from(gene.choices) for gene in GENES})


@given(genomes)
def test_the_normal_form_is_idempotent_and_stays_in_the_space(genome):
    normal = canonical(genome)
    assert canonical(normal) == normal == SPACE.validate(normal)
    assert Design.of(genome) == Design.of(normal)


@given(genomes)
def test_genes_without_effect_do_not_split_candidates(genome):
    attention = {**genome, "mixer": "attention"}
    for name in ("feature", "write", "decay", "beta"):
        for value in next(gene.choices for gene in GENES if gene.name == name):
            assert canonical({**attention, name: value}) == canonical(attention)
    hebb = {**genome, "mixer": "linear", "write": "hebb"}
    assert canonical({**hebb, "beta": 2, "positions": "rotary"}) == canonical({**hebb, "beta": 1, "positions": "none"})
    delta = {**genome, "mixer": "linear", "write": "delta"}
    assert canonical({**delta, "qk_norm": "none"})["qk_norm"] == "l2"


def test_two_genomes_with_one_normal_form_cost_the_same():
    rng = random.Random(0)
    for _ in range(50):
        genome = {gene.name: rng.choice(gene.choices) for gene in GENES}
        assert cost(genome, Options()) == cost(SPACE.validate(genome), Options())


def test_state_of_the_recurrent_mixers_does_not_grow_with_length_and_the_cache_of_attention_does():
    short, long = (
        Options(),
        parse_options(Options, {"keys": 8, "writes": 2, "length": 40, "vocabulary": 64}, "the arena"),
    )
    recurrent, attention = {"mixer": "linear", "d_key": 16}, {"mixer": "attention", "d_key": 16, "heads": 2}
    assert cost(recurrent, short).state_floats == cost(recurrent, long).state_floats == 16 * 32
    assert cost(attention, short).state_floats == short.length * (2 * 16 + 32)
    assert cost(attention, long).state_floats == long.length * (2 * 16 + 32)
    assert cost({**recurrent, "conv": 4}, short).state_floats == 16 * 32 + 3 * (16 + 16 + 32)


def test_admission_names_its_reason():
    assert admit(BASELINE, Options()) is None
    assert "max_state = 500" in (admit(BASELINE, parse_options(Options, {"max_state": 500}, "the arena")) or "")
    assert "4 heads" in (admit({"heads": 4}, parse_options(Options, {"width": 30}, "the arena")) or "")


def test_the_arena_follows_its_options():
    arena = configured(RecallArena, {"held_out": 100}, "the arena")
    assert arena.spec.resolution == 1 / (100 * arena.options.queries)
    assert RecallArena().spec == dataclasses.replace(SPEC, floor=1 / 16)
    assert arena.space is SPACE
    assert SPACE.validate(SPEC.baseline) == SPEC.baseline
    with pytest.raises(StudyError):
        configured(RecallArena, {"held_out": 0}, "the arena")


def test_the_lab_side_never_imports_torch():
    code = (
        "import sys; from novum.arenas.recall import arena, spec, cost, data, layout, options, score, space; "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
