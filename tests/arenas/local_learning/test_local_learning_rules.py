"""Local learning rules against what is known of them: identities, limits, angles, and their counted FLOP."""

import random
from dataclasses import asdict, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from novum.arenas.local_learning import trial as program  # noqa: E402
from novum.arenas.local_learning.cost import step_flop  # noqa: E402
from novum.arenas.local_learning.data import lesson  # noqa: E402
from novum.arenas.local_learning.named import RULES  # noqa: E402
from novum.arenas.local_learning.options import Options  # noqa: E402
from novum.arenas.local_learning.rules.alignment import cosines, gradients  # noqa: E402
from novum.arenas.local_learning.rules.feedback import forward_weights  # noqa: E402
from novum.arenas.local_learning.rules.network import Network  # noqa: E402
from novum.arenas.local_learning.rules.noise import Noise  # noqa: E402
from novum.arenas.local_learning.rules.population import said, train  # noqa: E402
from novum.arenas.local_learning.rules.rule import rule  # noqa: E402
from novum.arenas.local_learning.rules.update import clipped  # noqa: E402
from novum.arenas.local_learning.score import marks  # noqa: E402
from novum.arenas.local_learning.space import Design, space  # noqa: E402
from novum.arenas.local_learning.spec import best_guess  # noqa: E402
from novum.core.model.candidate import Candidate  # noqa: E402
from novum.core.model.errors import StudyError  # noqa: E402
from novum.core.model.trial import OutcomeKind, Role, Trial, TrialGroup  # noqa: E402

SEEDS = (1, 2, 3)
BACKPROP = Design(signal="transpose", width=32, depth=3)
SHAPES = [(activation, normalise) for activation in ("relu", "tanh", "clip") for normalise in ("none", "length")]


@pytest.fixture(autouse=True)
def _double():
    """Identities are numbers of double precision."""
    torch.set_num_threads(1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def batch(rows=24, inputs=40):
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(len(SEEDS), rows, inputs, generator=generator),
        torch.randint(10, (len(SEEDS), rows), generator=generator),
    )


def made(design, inputs=40):
    """A rule with weights of double precision."""
    found = rule(design, inputs, SEEDS)
    network = found.network
    network.hidden = [each.double() for each in network.hidden]
    network.readout = network.readout.double()
    way = getattr(found, "feedback", None)
    for held in (getattr(way, "weights", []), getattr(way, "learned", [])):
        held[:] = [each.double() for each in held]
    return found


def apart(directions, downhill):
    """The largest distance of a direction from minus the gradient, relative to the gradient."""
    return max(float((one - other).norm() / other.norm()) for one, other in zip(directions, downhill, strict=False))


@pytest.mark.parametrize(("activation", "normalise"), SHAPES)
def test_derivatives_written_by_hand_are_those_of_autograd(activation, normalise):
    found = made(replace(BACKPROP, activation=activation, normalise=normalise))
    assert apart(found.directions(*batch(), Noise(SEEDS, "t")), gradients(found, *batch())) < 1e-10


@pytest.mark.parametrize(("activation", "normalise"), SHAPES)
def test_predictive_coding_with_fixed_predictions_is_backpropagation_once_errors_reached_the_bottom(
    activation, normalise
):
    design = replace(
        BACKPROP, settling="prediction", predictions="fixed", step_size=1.0, activation=activation, normalise=normalise
    )
    for steps, same in ((3, True), (1, False)):
        found = made(replace(design, steps=steps))
        distance = apart(found.directions(*batch(), Noise(SEEDS, "t")), gradients(found, *batch()))
        assert (distance < 1e-10) is same


def test_predictive_coding_comes_to_the_gradient_linearly_in_the_nudge_and_quadratically_with_both_signs():
    distances = {}
    for antithetic in (False, True):
        for nudge in (1e-1, 1e-2):
            design = replace(
                BACKPROP,
                settling="prediction",
                steps=1000,
                step_size=0.3,
                nudge=nudge,
                antithetic=antithetic,
                activation="tanh",
            )
            found = made(design)
            distances[antithetic, nudge] = apart(
                found.directions(*batch(), Noise(SEEDS, "t"))[:3], gradients(found, *batch())
            )
    assert distances[True, 1e-2] < 1e-4
    assert distances[False, 1e-1] / distances[False, 1e-2] == pytest.approx(10, rel=0.15)
    assert distances[True, 1e-1] / distances[True, 1e-2] == pytest.approx(100, rel=0.15)


def test_equilibrium_propagation_comes_to_the_gradient_through_the_equilibrium():
    # One hidden layer receives nothing from above in the free phase: its equilibrium is the forward pass.
    design = Design(
        signal="transpose", settling="hopfield", depth=1, width=16, activation="tanh", steps=64, step_size=0.5
    )
    found = [
        cosines(
            (one := made(replace(design, nudge=nudge, antithetic=True))).directions(*batch(), Noise(SEEDS, "t")),
            gradients(one, *batch()),
        )
        for nudge in (1.0, 0.01)
    ]
    deep = made(replace(design, depth=2, nudge=0.01, antithetic=True, steps=64))
    for weights in (*deep.network.hidden, deep.network.readout):
        weights.mul_(0.5)
    together = cosines(deep.directions(*batch(), Noise(SEEDS, "t")), gradients(deep, *batch()))
    assert min(found[1][0]) > min(found[0][0]) - 1e-9
    assert min(map(min, together)) > 0.9


def test_perturbations_estimate_the_gradient_better_with_more_draws():
    for noise, rank in (("nodes", 1), ("weights", 1), ("weights", 0)):
        design = Design(
            signal="perturbation", noise=noise, rank=rank, nudge=0.01, antithetic=True, width=8, depth=1, readout="own"
        )
        found = []
        for draws in (16, 1024):
            one = made(replace(design, draws=draws))
            found.append(
                np.mean(cosines(one.directions(*batch(8), _Doubled(SEEDS, "t")), gradients(one, *batch(8)))[0])
            )
        assert found[1] > 0.7
        assert found[1] > found[0] + 0.1


class _Doubled(Noise):
    """Noise in the precision of these tests."""


def test_low_rank_noise_has_the_covariance_of_independent_weights():
    from novum.arenas.local_learning.rules.perturbation import WeightPerturbation

    network = Network.drawn(Design(width=4, depth=1), 3, (1,))
    network.design = replace(network.design, draws=20_000, rank=2, signal="perturbation")
    shift = WeightPerturbation(network)._drawn(network.hidden[0], Noise((1,), "t"))
    dense = (shift.left @ shift.right.mT / 2**0.5)[0].flatten(1)
    covariance = dense.T @ dense / len(dense)
    assert torch.allclose(covariance, torch.eye(16), atol=0.1)


@pytest.mark.parametrize("kind", ["sanger", "oja"])
def test_hebbian_layers_find_the_principal_components(kind):
    generator = torch.Generator().manual_seed(1)
    scales = torch.tensor([3.0, 2.0, 1.0, 0.3, 0.2, 0.1])
    basis = torch.linalg.qr(torch.randn(6, 6, generator=generator)).Q
    inputs = ((torch.randn(1, 500, 6, generator=generator) * scales) @ basis.T).expand(len(SEEDS), -1, -1)
    found = made(Design(signal="hebbian", decorrelation=kind, width=3, depth=1), 6)
    labels = torch.zeros(len(SEEDS), 500, dtype=torch.int64)
    for _ in range(800):
        found.network.hidden[0].add_(0.04 * found.directions(inputs, labels, Noise(SEEDS, "t"))[0])
    weights = found.network.hidden[0][:, :-1]
    _, axes = torch.linalg.eigh(inputs[0].T @ inputs[0])
    top = axes[:, -3:].flip(1)
    across = (top.T @ weights).abs()
    if kind == "sanger":
        assert torch.allclose(across, torch.eye(3).expand_as(across), atol=1e-3)
    assert torch.allclose(weights.mT @ weights, torch.eye(3).expand(3, -1, -1), atol=1e-3)
    assert torch.allclose(top @ (top.T @ weights), weights, atol=1e-3)


def test_mirrored_feedback_becomes_the_transpose():
    found = made(Design(signal="random", feedback="mirrored", width=16, depth=2))
    before = _agreement(found)
    for _ in range(3000):
        for weights, by in zip(found.learned, found.directions(*batch(), Noise(SEEDS, "t")), strict=True):
            weights.add_(0.2 * by)
    after = _agreement(found)
    assert max(map(abs, before)) < 0.5
    assert min(after) > 0.9


def _agreement(found):
    pairs = [(forward_weights(found.network, at), back) for at, back in enumerate(found.feedback.weights)]
    return [float((one * other).sum() / one.norm() / other.norm()) for one, other in pairs]


def test_targets_by_inverses_learn_to_come_back():
    found = made(Design(signal="inverse", nudge=0.1, width=16, depth=2, activation="tanh"))
    made_pass = found.network.forward(batch()[0])

    def miss():
        from novum.arenas.local_learning.rules.network import extended

        there = found.network.forward(batch()[0])
        back = found.network.activation(extended(there.out[1]) @ found.feedback.learned[0])
        return float((back - there.out[0]).square().mean())

    before = miss()
    for _ in range(300):
        by = found.feedback.directions(made_pass, [], Noise(SEEDS, "t"))[0]
        found.feedback.learned[0].add_(0.3 * by)
    assert miss() < 0.3 * before


def test_no_direction_is_longer_than_the_clip_and_a_short_one_is_left_alone():
    long = [torch.full((2, 3, 3), 5.0), torch.full((2, 2, 2), 5.0)]
    length = torch.stack([each.square().sum((1, 2)) for each in clipped(long)]).sum(0).sqrt()
    assert torch.allclose(length, torch.ones(2))
    short = [torch.full((2, 1, 1), 0.1)]
    assert torch.equal(clipped(short)[0], short[0])


@pytest.mark.parametrize("name", RULES)
def test_counted_flop_of_a_step_are_those_that_the_cost_says(name):
    torch.set_default_dtype(torch.float32)
    options = Options(backprop=True)
    for depth in (1, 2):
        design = Design.of(space(options).validate({**RULES[name].genes, "depth": depth}))
        _assert_counted(design)


def test_counted_flop_of_random_genomes_are_those_that_the_cost_says():
    torch.set_default_dtype(torch.float32)
    rng = random.Random(4)
    for _ in range(40):
        _assert_counted(Design.of(space(Options()).sample(rng)))


def _assert_counted(design):
    found = rule(design, 40, SEEDS)
    inputs, labels = batch()
    noise = Noise(SEEDS, "t")
    with FlopCounterMode(display=False) as counter:
        found.directions(inputs.float(), labels, noise)
    assert counter.get_total_flops() / len(SEEDS) == pytest.approx(step_flop(design, 40, 24), rel=0.02), design


class TestTraining:
    """Whole trainings, in single precision."""

    @pytest.fixture(autouse=True)
    def _single(self, _double):
        torch.set_default_dtype(torch.float32)

    def test_the_angle_of_feedback_alignment_falls_below_ninety_degrees(self):
        seeds, design = tuple(range(12)), Design(signal="random", width=32, depth=2)
        lessons = [lesson(Options(task="digits"), Role.SEARCH, seed) for seed in seeds]
        found = train(design, lessons, seeds, [1.0] * len(seeds), 300, 32)
        first, last = (np.array(found.alignments[step]) for step in (0, 299))
        error = last.std(1, ddof=1) / np.sqrt(len(seeds))
        assert (last.mean(1) > 5 * error).all()
        assert (last.mean(1) > first.mean(1) + 0.1).all()
        assert (np.abs(first.mean(1)) < 4 * first.std(1, ddof=1) / np.sqrt(len(seeds))).all()

    @pytest.mark.parametrize("name", RULES)
    def test_every_published_rule_learns_the_digits(self, name):
        options = Options(task="digits", samples=6000, backprop=True)
        assert _best(options, RULES[name].genes) > 0.3

    def test_nothing_learns_labels_that_are_drawn_anew(self):
        options = Options(task="digits", samples=6000, shuffled=True, backprop=True)
        for name in ("backpropagation", "forward-forward"):
            assert _best(options, RULES[name].genes) < best_guess(359)

    def test_a_member_does_not_depend_on_who_trains_beside_it(self):
        design = Design(signal="perturbation", depth=1, width=16)
        lessons = [lesson(Options(train=60), Role.SEARCH, seed) for seed in (1, 2)]
        both = train(design, lessons, (1, 2), (0.3, 0.1), 20, 8)
        alone = train(design, lessons[1:], (2,), (0.1,), 20, 8)
        assert torch.allclose(both.rule.learned[0][1], alone.rule.learned[0][0], atol=1e-5)

    def test_instruments_leave_the_training_as_it_is(self, monkeypatch):
        from novum.arenas.local_learning.rules import population

        design = Design(signal="perturbation", depth=1, width=16)
        lessons = [lesson(Options(train=60), Role.SEARCH, 1)]
        seen = train(design, lessons, (1,), (0.3,), 20, 8)
        monkeypatch.setattr(population, "alignment", lambda *_: [])
        unseen = train(design, lessons, (1,), (0.3,), 20, 8)
        assert torch.equal(seen.rule.learned[0], unseen.rule.learned[0])
        assert len(seen.accuracies) > 5

    def test_a_trial_that_blows_up_is_an_outcome(self):
        trials = (Trial("t", 1, {"lr": 1e38}),)
        (out,) = program.run(TrialGroup("g", Candidate({}), trials, {"samples": 320, "train": 60, "held_out": 8}))
        assert out.failure is OutcomeKind.DIVERGED

    @pytest.mark.parametrize("setting", [{}, {"lr": 0}, {"lr": True}])
    def test_settings_that_make_no_sense_are_named(self, setting):
        with pytest.raises(StudyError, match="'t'"):
            program.run(TrialGroup("g", Candidate({}), (Trial("t", 1, setting),), {"samples": 32, "held_out": 8}))

    def test_random_genomes_run_and_say_something_of_every_example(self):
        rng, options = random.Random(7), Options(samples=96, train=60, held_out=16)
        for _ in range(30):
            genome = space(options).sample(rng)
            found = train(Design.of(genome), [lesson(options, Role.SEARCH, 1)], (1,), (0.1,), 3, options.batch)
            guesses, fine = said(found.rule, torch.zeros(1, 16, 40))
            assert guesses.shape == (1, 16)
            assert fine == [True]


def _best(options, genes):
    """The best mean score over the rates of the sweep."""
    rates = (0.1, 0.3, 1.0, 3.0)
    trials = tuple(Trial(f"{rate}/{seed}", seed, {"lr": rate}) for rate in rates for seed in (1, 2))
    genome = space(options).validate(genes)
    outputs = program.run(TrialGroup("g", Candidate(genome), trials, asdict(options)))
    scores = [
        marks(options, Role.SEARCH, trial.seed, out.artefact).mean() if out.artefact else 0.0
        for trial, out in zip(trials, outputs, strict=True)
    ]
    return max(np.mean(scores[at : at + 2]) for at in range(0, len(scores), 2))
