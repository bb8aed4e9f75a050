"""What adapts: normal forms, published methods, identities between two forms, and what is known to be best."""

import random

import numpy as np
import pytest

from novum.arenas.adaptation.arena import AdaptationArena
from novum.arenas.adaptation.cost import cost
from novum.arenas.adaptation.named import METHODS
from novum.arenas.adaptation.options import Options
from novum.arenas.adaptation.space import Design, space
from novum.core.model.candidate import Candidate
from novum.core.model.trial import OutcomeKind, Trial, TrialGroup

torch = pytest.importorskip("torch")
SMALL = {"steps": 3, "batch": 2, "exam": 4, "queries": 4, "shots": "2, 5"}


def outputs(genome, options, setting, seeds=(0, 1)):
    from novum.arenas.adaptation.trial import run

    trials = tuple(Trial(str(seed), seed, setting) for seed in seeds)
    group = TrialGroup("g", Candidate(space(Options(**options)).validate(genome)), trials, options)
    return group, run(group)


def scored(name, options, setting, seeds=(0, 1)):
    """The mean score of a method."""
    arena = AdaptationArena(Options(**options))
    group, found = outputs(METHODS[name], options, setting, seeds)
    return float(np.mean([arena.score(group, t, o.artefact).value for t, o in zip(group.trials, found, strict=True)]))


def test_every_genome_has_one_normal_form():
    found, rng = space(Options()), random.Random(0)
    for _ in range(500):
        genome = found.sample(rng)
        for one in (genome, found.mutate(genome, rng), found.cross(genome, found.sample(rng), rng)):
            assert found.validate(one) == one
            assert (one["meta"], one["features"]) != ("none", "learned")


def test_published_methods_are_different_candidates_and_keep_their_genes():
    genomes = {name: space(Options()).validate(genome) for name, genome in METHODS.items()}
    assert len({Candidate(genome).id for genome in genomes.values()}) == len(METHODS)
    for name, genome in genomes.items():
        assert {gene: genome[gene] for gene in METHODS[name]} == dict(METHODS[name]), name


def test_a_candidate_answers_the_same_alone_and_beside_others():
    setting = {"lr": 0.01, "inner": 0.3}
    for name in METHODS:
        _, both = outputs(METHODS[name], SMALL, setting)
        _, alone = outputs(METHODS[name], SMALL, setting, seeds=(1,))
        one, other = (np.frombuffer(made.artefact, "<f4") for made in (both[1], alone[0]))
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5), name


def tasks(members=2, count=3, shots=6, inputs=4, seed=0):
    from novum.arenas.adaptation.network import Tasks

    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(members, count, *shape, generator=rng)

    return Tasks(draw(shots, inputs), draw(shots, 1), draw(5, inputs))


def predicted(genome, given, rate=0.3, start=None):
    from novum.arenas.adaptation.network import Form, initial, predict

    design = Design.of(space(Options()).validate(genome))
    weights = initial(design, Form(given.inputs.shape[-1]), [0] * len(given.inputs), [rate] * len(given.inputs))
    if start is not None:
        weights["head"] = start
    return predict(weights, design, given, through=False).detach()[..., 0]


def test_one_gradient_step_from_zero_is_a_layer_of_linear_attention():
    """arXiv 2212.07677: sum over examples of rate y <x, query>, here with mean gradients and inputs over sqrt(F)."""
    given = tasks()
    found = predicted({**METHODS["one gradient step"]}, given)
    attention = 0.3 / 6 / 4 * torch.einsum("pbqf,pbkf,pbkc->pbq", given.asked, given.inputs, given.labels)
    assert torch.allclose(found, attention, atol=1e-6)


def test_ridge_in_its_dual_is_ridge_in_its_normal_equations():
    given = tasks()
    found = predicted(METHODS["ridge"], given, rate=0.3)
    inputs, asked = given.inputs / 2, given.asked / 2
    gram = inputs.transpose(-1, -2) @ inputs + (0.1 / 0.3) * torch.eye(4)
    weights = torch.linalg.solve(gram, inputs.transpose(-1, -2) @ given.labels)
    assert torch.allclose(found, (asked @ weights)[..., 0], atol=1e-5)


def test_the_delta_rule_is_recursive_and_of_one_example_a_gradient_step():
    given = tasks(shots=1)
    assert torch.allclose(predicted(METHODS["delta rule"], given), predicted(METHODS["one gradient step"], given))


def test_the_derivative_through_the_steps_is_that_of_finite_differences():
    from novum.arenas.adaptation.network import Form, initial, predict

    torch.manual_seed(0)
    design = Design.of(space(Options()).validate({**METHODS["MAML"], "descent": 2, "activation": "tanh", "width": 16}))
    given = tasks(members=1, inputs=2)
    weights = {name: value.double() for name, value in initial(design, Form(2), [0], [0.3]).items()}
    weights["head"] = torch.randn_like(weights["head"])
    given = type(given)(given.inputs.double(), given.labels.double(), given.asked.double())

    def loss(head):
        mine = {**weights, "head": head}
        return (predict(mine, design, given, through=True) ** 2).mean()

    assert torch.autograd.gradcheck(loss, (weights["head"].clone().requires_grad_(),), atol=1e-6)


@pytest.mark.slow
def test_ridge_reaches_the_bayes_predictor_of_a_linear_map_and_the_delta_rule_does_not():
    options = {"task": "linear", "steps": 300, "shots": "5, 20"}
    assert scored("ridge", options, {"lr": 0.01, "inner": 0.5}) < 1.02
    assert scored("delta rule", options, {"lr": 0.003, "inner": 0.5}) > 1.2
    assert scored("one gradient step", options, {"lr": 0.01, "inner": 0.5}) > 1.5


@pytest.mark.slow
def test_learning_to_adapt_beats_learning_all_tasks_at_once():
    options, setting = {"task": "process", "steps": 150}, {"lr": 0.01, "inner": 0.5}
    before = scored("fine-tuning", options, setting)
    assert scored("MAML", options, setting) < 0.85 * before
    assert scored("ridge on learned features", options, setting) < 0.7 * before
    assert scored("no adaptation", options, setting) > before


def test_what_diverges_is_an_outcome():
    _, (one,) = outputs({**METHODS["five gradient steps"], "descent": 10, "rates": "fixed", "meta": "none"}, SMALL,
                        {"lr": 0.01, "inner": 3e38}, seeds=(0,))  # fmt: skip
    assert one.failure is OutcomeKind.DIVERGED


def test_costs_count_what_a_task_keeps():
    options = Options()
    kept = {name: cost(genome, options).state_floats for name, genome in METHODS.items()}
    assert kept["no adaptation"] == 0
    assert kept["ANIL"] == 33 < kept["MAML"] == cost(METHODS["MAML"], options).parameters
    assert kept["ridge on learned features"] == 33 * 34
    flop = {name: cost(METHODS[name], options).flop for name in METHODS}
    assert flop["fine-tuning"] < flop["first-order MAML"] < flop["MAML"]
