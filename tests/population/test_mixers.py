"""Every mixer: training form, step form and its paper's recurrence are one function, and it looks only back."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flop_counter import counted  # noqa: E402
from oracles import ORACLES  # noqa: E402

from novum.population.forms.form_registry import form_of  # noqa: E402
from novum.population.mixers.matrix_state import MatrixState  # noqa: E402
from novum.population.mixers.mixer_core import CHUNK  # noqa: E402
from novum.population.mixers.named import NAMED  # noqa: E402
from novum.population.network import Network, state_size  # noqa: E402
from novum.population.stack import Layer, Stack  # noqa: E402

HEADS, KEY, WIDTH, T = 2, 6, 8, CHUNK + 9
WRITES = ("hebb", "delta", "longhorn", "preconditioned", "separate")
COMPOSED = [
    MatrixState(
        1, KEY, WIDTH, feature=feature, unit_keys=write != "hebb", write=write, decay=decay, beta=2, steps=steps
    )
    for write, decay, steps, feature in itertools.product(
        WRITES, ("none", "constant", "scalar", "vector"), (1, 2), ("identity",)
    )
] + [
    MatrixState(1, KEY, WIDTH, feature="elu1", normalised=True, decay="vector"),
    MatrixState(1, KEY, WIDTH, feature="taylor2", normalised=True, decay="scalar"),
    MatrixState(1, KEY, WIDTH, feature="silu", unit_keys=True, rotating=True, write="delta", decay="scalar"),
    MatrixState(1, KEY + 1, WIDTH, feature="relu", rotating=True, decay="vector"),
]


def drawn(core, seed=0, members=2, batch=2, length=T):
    """Inputs and own parameters, larger than at the start of a training so that nothing hides in small numbers."""
    rng = np.random.default_rng(seed)
    parts = {name: rng.standard_normal((members, batch, length, size)) for name, size in core.channels.items()}
    own = {name: one.draw(seed, name) + 0.3 * rng.standard_normal(one.shape) for name, one in core.parameters.items()}
    own = {name: np.stack([x + 0.1 * member for member in range(members)]) for name, x in own.items()}
    return tuple({name: torch.from_numpy(x).float() for name, x in arrays.items()} for arrays in (own, parts))


def assert_near(found, wanted, tolerance):
    scale = max(1.0, float(np.abs(np.asarray(wanted)).max()))
    assert float(np.abs(np.asarray(found) - np.asarray(wanted)).max()) < tolerance * scale


@pytest.mark.parametrize("core", [one.make(1, KEY, WIDTH) for one in NAMED.values()] + COMPOSED, ids=str)
def test_the_training_form_is_the_papers_recurrence(core):
    own, parts = drawn(core, length=T if core not in COMPOSED else 40)
    found = form_of(core).mix(own, parts, None)
    oracle = ORACLES[type(core).__name__]
    for member, row in ((0, 1), (1, 0)):
        mine = {name: x[member].double().numpy() for name, x in own.items()}
        inputs = {name: x[member, row].double().numpy() for name, x in parts.items()}
        assert_near(found[member, row].numpy(), oracle(core, mine, inputs), 1e-4)


@pytest.mark.parametrize("name", NAMED)
def test_the_step_form_and_wanted_rows_are_the_training_form(name):
    layer = Layer(NAMED[name].make(HEADS, KEY, WIDTH), taps=4, gate=True)
    stack = Stack(11, 7, WIDTH, (layer,), channel="swiglu")
    network, leaf = Network(stack), grown(stack)
    tokens = torch.randint(0, 11, (2, 2, T), generator=torch.Generator().manual_seed(1))
    whole = network.logits(leaf, tokens, torch.arange(T).expand(2, 2, T))
    w, state = network.take_apart(leaf), network.start(2, 2, leaf)
    outs = []
    for place in range(T):
        out, state = network.step(w, tokens[:, :, place], state)
        outs.append(out)
    assert_near(torch.stack(outs, 2), whole, 1e-4)
    wanted = torch.tensor([2, 17, T - 1])
    some = network.logits(leaf, tokens, wanted.expand(2, 2, 3))
    assert_near(some, whole[:, :, wanted], 1e-5)
    assert state_size(state) / 4 == stack.state_floats(T)


@pytest.mark.parametrize("name", NAMED)
def test_nothing_looks_ahead_and_members_know_nothing_of_each_other(name):
    core = NAMED[name].make(HEADS, KEY, WIDTH)
    own, parts = drawn(core, length=20)
    parts = {key: x.requires_grad_() for key, x in parts.items()}
    out = form_of(core).mix(own, parts, None)
    gradients = torch.autograd.grad(out[0, 0, 11].sum(), list(parts.values()), allow_unused=True)
    reached = torch.zeros(2, 2, 20)
    for gradient in gradients:
        if gradient is not None:
            reached += gradient.abs().sum(-1)
    rounding = 1e-6 * reached.max()  # of a Fourier transform; everything else is exactly zero
    assert reached[0, 0, 12:].max() <= rounding
    assert reached[0, 1].max() == 0
    assert reached[1].max() == 0
    assert reached[0, 0, 11] > 1e-3 * reached.max()


def grown(stack, members=2):
    leaf = torch.from_numpy(stack.layout.initial(range(members)))
    return leaf + 0.1 * torch.randn(leaf.shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("residual", ["plain", "attention"])
@pytest.mark.parametrize("channel", ["none", "mlp", "swiglu"])
@pytest.mark.parametrize("loops", [1, 2])
def test_a_stack_steps_as_it_trains(residual, channel, loops):
    layers = tuple(Layer(NAMED[name].make(1, KEY, WIDTH), taps=2) for name in ("delta", "attention-rotary"))
    stack = Stack(11, 7, WIDTH, layers, channel=channel, residual=residual, loops=loops)
    network, leaf = Network(stack), grown(stack)
    tokens = torch.randint(0, 11, (2, 2, 15), generator=torch.Generator().manual_seed(1))
    whole = network.logits(leaf, tokens, torch.arange(15).expand(2, 2, 15))
    w, state = network.take_apart(leaf), network.start(2, 2, leaf)
    outs = []
    for place in range(15):
        out, state = network.step(w, tokens[:, :, place], state)
        outs.append(out)
    assert_near(torch.stack(outs, 2), whole, 1e-4)
    assert state_size(state) / 4 == stack.state_floats(15)


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("hyena", "mesa")])
def test_flop_by_formula_are_those_that_a_counter_sees(name):
    """Not for a convolution by Fourier transform and a dense solver, which no counter of products sees."""
    stack = Stack(11, 7, WIDTH, (Layer(NAMED[name].make(HEADS, KEY, WIDTH), taps=4, gate=True),), channel="mlp")
    network, leaf = Network(stack), grown(stack)
    for length in (20, T):
        tokens = torch.randint(0, 11, (2, 3, length), generator=torch.Generator().manual_seed(1))
        positions = torch.tensor([3, length - 1]).expand(2, 3, 2)
        seen = counted(lambda tokens=tokens, positions=positions: network.logits(leaf, tokens, positions))
        assert seen / 2 == pytest.approx(stack.forward_flop(3, length, 2), rel=0.02)
