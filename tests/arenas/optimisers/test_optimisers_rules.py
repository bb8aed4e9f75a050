"""Optimisers as programs against what is known of them: other implementations, identities, who wins where."""

import math
import statistics
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch")

from novum.arenas.optimisers import trial as program  # noqa: E402
from novum.arenas.optimisers.arena import OptimisersArena  # noqa: E402
from novum.arenas.optimisers.interpret import fresh_registers, orthogonalised, run  # noqa: E402
from novum.arenas.optimisers.lessons import PerceptronLesson  # noqa: E402
from novum.arenas.optimisers.named import RULES  # noqa: E402
from novum.arenas.optimisers.options import Options  # noqa: E402
from novum.arenas.optimisers.recognise import nearest  # noqa: E402
from novum.arenas.optimisers.spec import RATES  # noqa: E402
from novum.arenas.optimisers.training import Rule, train  # noqa: E402
from novum.core.model.candidate import Candidate  # noqa: E402
from novum.core.model.trial import OutcomeKind, Role, Trial, TrialGroup  # noqa: E402

SPACE = OptimisersArena().space
SMALL = Options(task="quadratic", width=8, steps=100, batch=8, held_out=64)


def weights_after(genome, rate, steps=20):
    """A matrix [6, 4] under a rule, and the gradients that it got: of a quartic, with noise."""
    torch.manual_seed(0)
    weight, noise = torch.randn(1, 6, 4, dtype=torch.float64), torch.randn(steps, 1, 6, 4, dtype=torch.float64)
    rule = Rule(SPACE.program(genome), SPACE.language, [weight])
    for each in noise:
        (update,) = rule([weight], [weight**3 + 0.3 * each])
        weight = weight - rate * update
    return weight


def torch_after(make, steps=20):
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(1, 6, 4, dtype=torch.float64))
    noise, optimiser = torch.randn(steps, 1, 6, 4, dtype=torch.float64), make([weight])
    for each in noise:
        weight.grad = weight.detach() ** 3 + 0.3 * each
        optimiser.step()
    return weight.detach()


@pytest.mark.parametrize(
    ("genome", "make"),
    [
        (RULES["SGD"], lambda p: torch.optim.SGD(p, lr=0.05)),
        (RULES["momentum"], lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.9)),
        (RULES["AdamW"], lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.9, 0.99), weight_decay=0.01)),
    ],
    ids=["SGD", "momentum", "AdamW"],
)
def test_programs_are_the_optimisers_of_pytorch(genome, make):
    assert torch.allclose(weights_after(genome, 0.05), torch_after(make), atol=1e-5, rtol=0)


def test_lion_is_the_published_rule():
    torch.manual_seed(0)
    weight, noise = torch.randn(1, 6, 4, dtype=torch.float64), torch.randn(20, 1, 6, 4, dtype=torch.float64)
    mean = torch.zeros_like(weight)
    for each in noise:
        gradient = weight**3 + 0.3 * each
        update = (0.9 * mean + 0.1 * gradient).sign()
        weight, mean = weight - 0.01 * (update + 0.1 * weight), 0.99 * mean + 0.01 * gradient
    assert torch.allclose(weights_after(RULES["Lion"], 0.01), weight, atol=1e-12, rtol=0)


@pytest.mark.parametrize("shape", [(64, 64), (40, 16), (16, 40), (1, 10)], ids=str)
def test_newton_schulz_brings_singular_values_to_about_one(shape):
    torch.manual_seed(1)
    x = torch.randn(8, *shape)
    values = torch.linalg.svdvals(orthogonalised(x))
    far = torch.linalg.svdvals(x) / x.flatten(1).norm(dim=1)[:, None] < 0.01  # too small for five rounds
    assert float(values[~far].min()) > 0.65
    assert float(values.max()) < 1.25
    assert float(far.float().mean()) < 0.1


def test_norms_clips_and_masks_do_what_they_say():
    x = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(2))
    registers = {**fresh_registers(SPACE.language, x), "g": x, "w": -x.abs()}
    text = "m = rows(g); n = columns(g); p = unit(g); a = 0.1; q = clip(a, g); u = cautious(g, w)"
    run(SPACE.program({"step": text}).parts[1], registers)
    assert torch.allclose(registers["m"].square().mean(2), torch.ones(2, 5))
    assert torch.allclose(registers["n"].square().mean(1), torch.ones(2, 7))
    assert torch.allclose(registers["p"].square().mean((1, 2)), torch.ones(2))
    assert torch.allclose(registers["q"].square().mean((1, 2)).sqrt(), torch.full((2,), 0.1))
    assert bool(((registers["u"] != 0) == (x < 0)).all())
    kept = (x < 0).float()
    assert torch.allclose(registers["u"], x * kept / kept.mean((1, 2), keepdim=True))
    zero = fresh_registers(SPACE.language, x)
    run(SPACE.program({"step": "m = rows(g); u = orthogonal(m)"}).parts[1], zero)
    assert not zero["u"].any()


def test_members_of_a_population_do_not_know_each_other():
    for task in ("quadratic", "mnist1d", "bytes"):
        options = Options(task=task, width=8, steps=4, batch=2, held_out=6, train=40, length=8)
        found = SPACE.program(RULES["NorMuon"])
        both = train(found, SPACE.language, options, Role.SEARCH, (1, 2), (0.01, 0.1), 4)
        alone = train(found, SPACE.language, options, Role.SEARCH, (2,), (0.1,), 4)
        assert torch.allclose(both.said[1], alone.said[0], atol=1e-4)


def test_gradients_of_perceptrons_are_those_of_each_members_own_loss():
    options = Options(width=8, batch=16, train=60)
    lesson = PerceptronLesson(options, Role.SEARCH, (1, 2))
    weights = lesson.first()
    gradients, losses = lesson.gradients(weights, 0)
    moved = [each.detach() - 1e-3 * gradient for each, gradient in zip(weights, gradients, strict=True)]
    fall = losses - lesson.gradients(moved, 0)[1]
    squares = sum(each.square().flatten(1).sum(1) for each in gradients)
    assert torch.allclose(fall, 1e-3 * squares, rtol=0.05)


def best(genome, options, seeds):
    """Scores at the best rate of the sweep, chosen on other seeds."""
    arena, swept = OptimisersArena(options), (901, 902, 903)

    def scored(pairs):
        trials = tuple(Trial(str(at), seed, {"lr": rate}) for at, (rate, seed) in enumerate(pairs))
        group = TrialGroup("g", Candidate(arena.space.validate(genome)), trials, asdict(options))
        outputs = zip(trials, program.run(group), strict=True)
        return [arena.score(group, one, out.artefact).value if out.artefact else math.inf for one, out in outputs]

    found = scored([(rate, seed) for rate in RATES for seed in swept])
    means = [statistics.mean(found[3 * at : 3 * at + 3]) for at in range(len(RATES))]
    rate = RATES[means.index(min(means))]
    return [math.log(one) for one in scored([(rate, seed) for seed in seeds])]


def test_momentum_is_better_than_descent_and_orthogonalised_momentum_than_adam_at_equal_tuning():
    options, seeds = Options(task="quadratic", width=16, steps=200, batch=16, held_out=64), range(12)
    found = {name: best(RULES[name], options, seeds) for name in ("SGD", "momentum", "AdamW", "Muon")}
    for better, worse in (("momentum", "SGD"), ("Muon", "AdamW")):
        gains = [one - other for one, other in zip(found[worse], found[better], strict=True)]
        error = statistics.stdev(gains) / len(gains) ** 0.5
        assert statistics.mean(gains) - 3.1 * error > 0, (better, gains)  # Student's 99.5 % with 11 degrees


def test_what_diverges_is_no_number_and_does_not_spoil_its_neighbours():
    genome = SPACE.validate({"step": "u = g * g; u = u * u"})
    trials = (Trial("a", 1, {"lr": 3.0}), Trial("b", 1, {"lr": 1e-12}))
    wild, calm = program.run(TrialGroup("g", Candidate(genome), trials, {**asdict(SMALL), "noise": 5.0}))
    assert wild.failure is OutcomeKind.DIVERGED
    assert calm.artefact is not None


KNOWN = {
    "momentum": {"setup": "a = 0.83", "step": "m = a * m; m = m + g; u = m"},
    "signum": {"setup": "a = 0.77; b = 0.3", "step": "m = a * m; m = m + g; p = sign(m); u = b * p"},
    "orthogonalised momentum": {"step": "g = interp(g, m, 0.63); m = g; u = orthogonal(g)"},
    "Lion": RULES["Lion"],
    "Adam": RULES["AdamW"],
    "normalised momentum": RULES["normalised momentum"],
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_rules_are_recognised_however_they_are_written(name):
    near = nearest(SPACE.program(KNOWN[name]), SPACE.language)
    assert near.name == name
    assert near.difference < 1e-6
    assert name not in ("Lion", "Adam") or near.decay > 0


def test_others_are_not_recognised():
    late = {"step": "u = orthogonal(m); m = interp(g, m, 0.9)"}
    assert nearest(SPACE.program(late), SPACE.language).difference > 0.05
    assert nearest(SPACE.program({"step": "u = g * g"}), SPACE.language).difference > 0.05
