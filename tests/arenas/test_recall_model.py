"""The population: causal, equal to members trained alone, and as large as its cost says."""

import random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from novum.arenas.recall.cost import cost
from novum.arenas.recall.data import TRAIN
from novum.arenas.recall.layout import CHUNK, EVAL_BATCHES
from novum.arenas.recall.model import Model
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import GENES, SPACE, Design
from novum.arenas.recall.train import AdamW, batches, predict, schedule, train
from novum.core.model.options import parse_options

SMALL = {"keys": 3, "writes": 2, "length": 14, "vocabulary": 16, "width": 8, "batch": 4, "held_out": 8}
MQAR = {"task": "mqar", "keys": 3, "writes": 1, "length": 14, "vocabulary": 20, "width": 8, "batch": 4, "held_out": 8}
VARIANTS = {
    "linear": {"conv": 4},
    "linear no conv": {"feature": "elu1", "heads": 2},
    "decay": {"conv": 2, "decay": "constant", "qk_norm": "l2", "heads": 2},
    "scalar": {"conv": 4, "decay": "scalar", "feature": "relu", "heads": 4},
    "delta": {"conv": 4, "write": "delta"},
    "gated delta": {"conv": 4, "write": "delta", "decay": "vector", "beta": 2, "gate": True, "heads": 2},
    "attention": {"mixer": "attention", "conv": 2},
    "rotary": {"mixer": "attention", "positions": "rotary", "qk_norm": "l2", "heads": 2, "gate": True},
}
variants = pytest.mark.parametrize("genome", VARIANTS.values(), ids=VARIANTS.keys())


def model_of(genome, given=SMALL, **more):
    return Model(Design.of(genome), parse_options(Options, {**given, **more}, "the arena"))


def first_batch(model, seeds):
    return next(batches(model.options, seeds, TRAIN, model.options.batch, model.options.batch))


@variants
@pytest.mark.parametrize("layers", [1, 2])
def test_a_token_never_influences_what_comes_before_it(genome, layers, monkeypatch):
    """Gradients of each query's logits with respect to the embedded tokens, mqar so that queries stand anywhere."""
    model = model_of(genome, MQAR, layers=layers)
    leaf = model.initial([1, 2])
    tokens, positions, _ = first_batch(model, [1, 2])
    # Distinct words at all positions make the gradient of a word's embedding the gradient of its position.
    tokens = torch.stack([torch.stack([torch.randperm(20)[:14] for _ in range(4)]) for _ in range(2)])
    for member, sequence, query in ((0, 0, 0), (1, 2, 1), (1, 3, 2)):
        here = leaf.clone().requires_grad_()
        model.logits(here, tokens, positions)[member, sequence, query].square().sum().backward()
        grad = model.take_apart(here.grad)["embed"][member][tokens[member, sequence]].abs().sum(-1)
        at = positions[member, sequence, query]
        assert grad[at] > 0
        assert grad[: at + 1].gt(0).sum() > 1
        assert (grad[at + 1 :] == 0).all()
        assert here.grad[1 - member].abs().max() == 0


@variants
@pytest.mark.parametrize("given", [SMALL, MQAR], ids=["overwrite", "mqar"])
def test_members_equal_models_trained_alone(genome, given):
    model, seeds, rates = model_of(genome, given), [3, 4, 5], [0.003, 0.01, 0.03]
    leaf, together = train(model, seeds, rates, steps=20)
    for member, (seed, rate) in enumerate(zip(seeds, rates, strict=True)):
        _, alone = train(model, [seed], [rate], steps=20)
        torch.testing.assert_close(together[:, member], alone[:, 0], atol=1e-5, rtol=0)
    assert predict(model, leaf, seeds).shape == (3, 8, model.options.queries)


def test_the_population_equals_vmap_over_one_model():
    model = model_of({"write": "delta", "decay": "vector", "heads": 2, "feature": "silu"}, MQAR)
    seeds = [1, 2, 3]
    leaf, batch = model.initial(seeds), first_batch(model, seeds)

    def alone(row, *data):
        return model.lost_trials(row[None], *(x[None] for x in data))[0]

    grads, lost_trials = torch.func.vmap(torch.func.grad_and_value(alone))(leaf, *batch)
    leaf.requires_grad_()
    population = model.lost_trials(leaf, *batch)
    torch.testing.assert_close(population, lost_trials)
    torch.testing.assert_close(torch.autograd.grad(population.sum(), leaf)[0], grads, atol=1e-5, rtol=1e-4)


def test_the_optimiser_equals_torch():
    torch.manual_seed(0)
    leaf = torch.randn(2, 30)
    rates = torch.tensor([[0.01], [0.1]])
    mine = leaf.clone()
    ours = AdamW(mine, rates, weight_decay=0.02, clip=0.5)
    theirs = [leaf[p].clone().requires_grad_() for p in range(2)]
    reference = [
        torch.optim.AdamW([x], lr=float(rate), betas=(0.9, 0.95), eps=1e-8, weight_decay=0.02)
        for x, rate in zip(theirs, rates, strict=True)
    ]
    for _ in range(10):
        grad = torch.randn(2, 30)
        for row, x, optimiser in zip(grad, theirs, reference, strict=True):
            x.grad = row.clone()
            torch.nn.utils.clip_grad_norm_([x], 0.5)
            optimiser.step()
        ours.step(grad, 1.0)
    torch.testing.assert_close(mine, torch.stack([x.detach() for x in theirs]))


def test_the_schedule_rises_and_falls():
    factors = [schedule(step, 100, 0.1) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == max(factors) == 1
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.001
    assert schedule(0, 1, 0.1) == 1


def test_equal_names_start_equal_across_designs_and_differ_across_seeds():
    plain, delta = model_of({"conv": 4}), model_of({"conv": 4, "write": "delta", "gate": True})
    one, other = plain.take_apart(plain.initial([7, 8])), delta.take_apart(delta.initial([7, 8]))
    assert set(one) < set(other)
    for name, x in one.items():
        assert torch.equal(x, other[name])
        if "norm" not in name:
            assert torch.isclose(x[0], x[1]).float().mean() < 0.05


def test_parameters_of_one_shape_start_apart():
    parts = (model := model_of({"d_key": 8})).take_apart(model.initial([7]))
    assert parts["0.q"].shape == parts["0.k"].shape == parts["0.v"].shape
    assert torch.corrcoef(torch.stack([parts[f"0.{name}"].ravel() for name in "qkv"])).triu(1).abs().max() < 0.5


def test_two_genomes_with_one_normal_form_train_identically():
    one = {"mixer": "linear", "write": "hebb", "beta": 2, "positions": "rotary", "conv": 2}
    other = {"mixer": "linear", "write": "hebb", "beta": 1, "positions": "none", "conv": 2}
    assert torch.equal(*(train(model_of(genome), [1], [0.01], 3)[0] for genome in (one, other)))


@pytest.mark.parametrize("rate", [1e6, 1e30])
def test_a_diverging_member_leaves_the_others_bitwise_alone(rate):
    model = model_of({"conv": 4, "write": "delta", "decay": "scalar"})
    calm, _ = train(model, [1, 2, 3], [0.01, 0.01, 0.01], 15)
    wild, _ = train(model, [1, 2, 3], [0.01, rate, 0.01], 15)
    assert torch.equal(calm[[0, 2]], wild[[0, 2]])
    assert not torch.equal(calm[1], wild[1])


def test_parameters_cost_what_the_model_holds():
    rng = random.Random(1)
    for _ in range(60):
        genome, layers = SPACE.sample(rng), rng.choice([1, 2])
        model = model_of(genome, layers=layers)
        assert cost(genome, model.options).parameters == model.initial([0]).shape[1]


def solve_flop(a_shape, b_shape, **_):
    return a_shape[0] * a_shape[1] ** 2 * b_shape[2]


@variants
@pytest.mark.parametrize(
    "given", [SMALL, MQAR | {"layers": 2}, {"keys": 20, "writes": 1, "length": 60, "vocabulary": 64}, "long"], ids=str
)
def test_flop_are_what_torch_counts(genome, given):
    """Matrix products and triangular solves only; both sides leave out everything elementwise."""
    if given == "long":
        given = {"task": "mqar", "keys": 8, "writes": 1, "length": 2 * CHUNK + 22, "vocabulary": 256, "width": 16}
    options = parse_options(Options, {"batch": 4, **given, "steps": 2, "held_out": 4 * EVAL_BATCHES}, "the arena")
    model = Model(Design.of(genome), options)
    # The library's registry has no entry for the solve, so it is counted with the formula of `cost`.
    mapping = {torch.ops.aten.linalg_solve_triangular: solve_flop}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        leaf, _ = train(model, [1], [0.01], options.steps)
        predict(model, leaf, [1])
    assert cost(genome, options).flop == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_every_choice_of_every_gene_trains():
    for gene in GENES:
        for value in gene.choices:
            for base in ({"mixer": "attention"}, {}, {"write": "delta"}):
                leaf, lost_trials = train(model_of({**base, gene.name: value}), [1], [0.01], 2)
                assert leaf.isfinite().all()
                assert lost_trials.isfinite().all()
