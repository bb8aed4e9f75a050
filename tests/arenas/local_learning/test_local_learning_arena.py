"""The local-learning arena: its space, data, score and costs, and what a study may ask for."""

import random
import re
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from novum.arenas import local_learning
from novum.arenas.local_learning.arena import LocalLearningArena
from novum.arenas.local_learning.cost import BASELINE, cost, step_flop, steps
from novum.arenas.local_learning.data import GENERATORS, answers, lesson, questions
from novum.arenas.local_learning.mnist1d import Generator, labelled, templates
from novum.arenas.local_learning.named import RULES
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.space import GENES, Design, canonical, space
from novum.arenas.local_learning.spec import best_guess
from novum.core.model.candidate import Candidate
from novum.core.model.trial import Role, Trial, TrialGroup
from novum.core.state.alarm_signals import bound
from novum.population.streams import stream
from novum.studies.load import load_study

SMALL = {"samples": 64, "train": 60, "held_out": 40}


def test_every_genome_has_one_normal_form_and_none_is_backpropagation():
    found, rng = space(Options()), random.Random(0)
    for _ in range(500):
        genome = found.sample(rng)
        for one in (genome, found.mutate(genome, rng), found.cross(genome, found.sample(rng), rng)):
            assert found.validate(one) == one
            assert (one["signal"], one["settling"]) != ("transpose", "none")
            assert (one["signal"], one["depth"]) != ("inverse", 1)


def test_backpropagation_is_a_candidate_only_where_a_study_says_so():
    genome = RULES["backpropagation"].genes
    assert space(Options()).validate(genome)["settling"] == "prediction"
    assert space(Options(backprop=True)).validate(genome)["settling"] == "none"


def test_published_rules_are_different_candidates_of_the_space():
    found = space(Options(backprop=True))
    genomes = [found.validate(rule.genes) for rule in RULES.values()]
    assert len({Candidate(genome).id for genome in genomes}) == len(RULES)
    for genome, rule in zip(genomes, RULES.values(), strict=True):
        assert {name: genome[name] for name in rule.genes} == dict(rule.genes)


@pytest.mark.parametrize(
    ("genome", "idle"),
    [
        ({"signal": "direct"}, {"feedback": "sign", "nudge": 0.1, "steps": 4, "rank": 2, "contrast": "pair"}),
        ({"signal": "hebbian"}, {"settling": "hopfield", "draws": 1, "readout": "own"}),
        ({"signal": "perturbation"}, {"rank": 4, "feedback": "mirrored"}),
        ({"signal": "random", "settling": "hopfield"}, {"predictions": "fixed", "normalise": "length"}),
    ],
    ids=["direct", "hebbian", "perturbation", "hopfield"],
)
def test_genes_without_effect_make_no_second_candidate(genome, idle):
    found = space(Options())
    assert found.key({**genome, **idle}) == found.key(genome)


def test_the_normal_form_of_every_pair_of_choices_is_a_normal_form():
    first = {gene.name: gene.choices[0] for gene in GENES}
    for one in GENES:
        for other in GENES:
            for a in one.choices:
                for b in other.choices:
                    made = canonical({**first, one.name: a, other.name: b})
                    assert canonical(made) == made


def test_the_templates_begin_at_zero_and_have_one_size():
    shapes = templates()
    assert shapes.shape == (10, 12)
    assert np.allclose(shapes[:, 0], 0.0)
    assert np.allclose(shapes.std(1), 1 / 6)


def test_without_variation_the_generator_gives_its_templates():
    plain = Generator(padding=(60, 60), scaling=0.0, translation=1, correlated=0.0, noise=0.0, shear=0.0, length=72)
    inputs, labels = labelled(plain, stream(1, "t"), 50)
    assert np.allclose(inputs[:, :12], templates()[labels], atol=1e-6)
    assert np.allclose(inputs[:, 12:], 0.0, atol=1e-6)


def test_each_part_of_the_variation_does_what_it_says():
    quiet = {"correlated": 0.0, "noise": 0.0, "shear": 0.0, "scaling": 0.0, "length": 72}
    moved, labels = labelled(Generator(padding=(60, 60), **quiet), stream(2, "t"), 200)
    for row, label in zip(moved, labels, strict=True):
        turned = np.stack([np.roll(row, -shift) for shift in range(48)])
        assert np.abs(turned[:, :12] - templates()[label]).max(1).min() < 1e-6
    scaled, labels = labelled(Generator(padding=(60, 60), **{**quiet, "scaling": 0.4}), stream(3, "t"), 400)
    factors = scaled.std(1) / labelled(Generator(padding=(60, 60), **quiet), stream(3, "t"), 400)[0].std(1)
    assert factors.min() > 0.799
    assert factors.max() < 1.201
    sheared, _ = labelled(Generator(translation=1, **{**quiet, "shear": 0.75}), stream(4, "t"), 400)
    straight, _ = labelled(Generator(translation=1, **quiet), stream(4, "t"), 400)
    slopes = (sheared - straight)[:, 0] - (sheared - straight)[:, -1]
    assert 0.3 < np.abs(slopes).max() <= 0.375 + 1e-9


def test_noise_is_smooth_where_there_is_no_signal():
    rough = labelled(Generator(noise=0.0, shear=0.0, length=72), stream(5, "t"), 500)[0]
    ends = rough[:, -1:] - rough[:, -2:-1]
    assert ends.std() < 0.5 * rough[:, -1].std()


def test_parts_of_the_data_differ_and_no_example_is_both_learned_and_scored():
    for task in ("mnist1d", "digits"):
        arena = LocalLearningArena(Options(task=task, **SMALL))
        scored = []
        for role in Role:
            group = TrialGroup("g", Candidate({}), (Trial("t", 1),), {}, role=role)
            found = arena.examples(group, group.trials[0])
            assert not found["train"] & found["scored"]
            scored.append(found["scored"])
        assert all(not one & other for one, other in pairwise(scored))
    assert len({GENERATORS[role] for role in Role}) == len(Role)


def test_permuted_points_are_the_same_numbers_in_one_other_order():
    plain, permuted = (lesson(Options(task=task), Role.SEARCH, 3) for task in ("mnist1d", "mnist1d-permuted"))
    assert np.array_equal(np.sort(plain.inputs, 1), np.sort(permuted.inputs, 1))
    assert np.array_equal(plain.labels, permuted.labels)
    order = [int(np.flatnonzero((plain.inputs == column[:, None]).all(0))[0]) for column in permuted.inputs.T]
    assert sorted(order) == list(range(40))
    assert order != sorted(order)


def test_shuffled_labels_leave_no_more_than_chance_and_the_ceiling_says_so():
    options = Options(shuffled=True)
    truth = answers(Options(), Role.SEARCH, 5)
    agree = float((answers(options, Role.SEARCH, 5) == truth).mean())
    ceiling = LocalLearningArena(options).spec.ceiling
    assert ceiling == best_guess(options.held_out)
    assert agree < ceiling < 0.25
    assert LocalLearningArena(Options()).spec.ceiling == 1.0


def test_a_score_far_above_what_is_known_of_such_networks_is_suspect():
    study = load_study("local-learning").study
    arena = LocalLearningArena(Options(**study.options))
    assert 0.68 < bound(arena.spec, study.watchdog.implausible) < 0.78
    assert bound(LocalLearningArena(Options(shuffled=True)).spec, None) < 0.25


@pytest.mark.parametrize("task", ["mnist1d", "digits"])
def test_a_perfect_artefact_scores_one_in_its_own_role_only(task):
    options = Options(task=task, **SMALL)
    arena, rows = LocalLearningArena(options), len(questions(options, Role.GATE, 1))
    group = TrialGroup("g", Candidate({}), (Trial("t", 1),), asdict(Options()), role=Role.GATE)
    truth = answers(options, Role.GATE, 1).astype(np.uint8)
    start = 359 if task == "digits" else 0
    artefact = np.zeros(rows, dtype=np.uint8)
    artefact[start : start + truth.size] = truth
    assert arena.score(group, group.trials[0], artefact.tobytes()).value == 1.0
    other = TrialGroup("g", Candidate({}), (Trial("t", 1),), asdict(Options()), role=Role.FINAL)
    assert arena.score(other, group.trials[0], artefact.tobytes()).value < 0.5
    assert all(arena.per_example(group, group.trials[0], artefact.tobytes(), Role.GATE))


def test_at_equal_flop_nobody_computes_more_than_the_baseline_and_a_half_step():
    options, rng = Options(equal="flop"), random.Random(1)
    limit = cost(BASELINE, options).flop
    for _ in range(200):
        genome = space(options).sample(rng)
        one = step_flop(Design.of(genome), options.inputs, options.batch)
        assert cost(genome, options).flop <= max(limit + one / 2, one) * (1 + 1e-9)
    assert steps(Design.of(space(options).validate(BASELINE)), options) == options.samples // options.batch


def test_the_page_of_the_arena_lists_every_rule_gene_and_option():
    page = (Path(local_learning.__file__).parent / "README.md").read_text()
    for name, rule in RULES.items():
        equation = rule.equation.replace("|", "\\|")
        assert f"| {name} | {equation} | {rule.source} |" in page, name
    told = set(re.findall(r"`(\w+)`", page))
    assert {field.name for field in fields(Options)} <= told
    assert {gene.name for gene in GENES} <= told
