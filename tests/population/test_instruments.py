"""Instruments read what is there, cost little, and change nothing."""

import math
import time

import pytest

torch = pytest.importorskip("torch")

from test_training import MEMBERS, copying, stack  # noqa: E402

from novum.population.instruments import Instruments, dead_layers, sample, states  # noqa: E402
from novum.population.network import Network  # noqa: E402
from novum.population.recipe import Recipe  # noqa: E402
from novum.population.training import train  # noqa: E402


def probe(members=3):
    rows = [copying(member, 0, 4) for member in range(members)]
    return (
        torch.stack([torch.from_numpy(getattr(one, name).copy()) for one in rows]) for name in ("tokens", "positions")
    )


def leaf_of(network, members=3):
    return torch.from_numpy(network.stack.layout.initial(range(members)))


def test_attention_that_sees_all_alike_has_the_entropy_of_a_uniform_choice():
    network = Network(stack("attention"))
    leaf = torch.zeros_like(leaf_of(network))
    tokens, positions = probe()
    found = sample(network, leaf, tokens, positions)["attention 0.entropy"]
    length = tokens.shape[2]
    assert found == pytest.approx([sum(math.log(t + 1) for t in range(length)) / length] * 3, abs=1e-5)


def test_gates_that_are_open_or_shut_count_as_saturated():
    network = Network(stack("gated-delta"))
    tokens, positions = probe()
    calm = leaf_of(network)
    assert max(sample(network, calm, tokens, positions)["saturated 0.beta"]) < 0.2
    w = network.take_apart(calm)
    w["0.in"] *= 100.0  # views of the leaf
    assert min(sample(network, calm, tokens, positions)["saturated 0.beta"]) > 0.8


def test_a_state_that_was_written_at_one_key_has_rank_one():
    network = Network(stack("delta"))
    leaf = leaf_of(network)
    w = network.take_apart(leaf)
    q, k = (slice(0, 4), slice(4, 8))
    w["0.in"][..., q] = 0.0
    w["0.in"][..., k] = 0.0
    w["embed"][..., 0] = 1.0
    w["0.in"][..., 0, 4] = 50.0
    w["0.taps"][..., 1:, :] = 0.0
    w["0.taps"][..., 0, :] = 1.0
    tokens, _ = probe()
    found = states(network, leaf, tokens)
    assert found["state rank 0"] == pytest.approx([1.0] * 3, abs=1e-2)
    assert min(found["state norm 0"]) > 0


def test_a_layer_that_adds_nothing_is_called_dead():
    network = Network(stack("kda"))
    leaf = leaf_of(network)
    tokens, positions = probe()
    first = {name: values[0] for name, values in sample(network, leaf, tokens, positions).items()}
    assert dead_layers(first) == []
    network.take_apart(leaf)["0.out"].zero_()
    last = {name: values[0] for name, values in sample(network, leaf, tokens, positions).items()}
    assert dead_layers(last) == ["0.mixer"]


def test_watching_changes_no_training_and_every_member_has_its_own_series():
    network, recipe = Network(stack("attention-rotary")), Recipe(24, 4)
    tokens, positions = probe()
    watch = Instruments(network, tokens, positions, 8)
    seen = train(network, recipe, MEMBERS, copying, places=2, compiling="never", observe=watch)
    blind = train(network, recipe, MEMBERS, copying, places=2, compiling="never")
    assert [one.losses for one in seen.members] == [one.losses for one in blind.members]
    assert set(watch.series) == {0, 1, 2}
    assert all([step for step, _ in series] == [8, 16] for series in watch.series.values())
    assert watch.last(0) != watch.last(2)


def test_sixteen_samples_of_a_training_of_four_hundred_steps_cost_less_than_a_twentieth():
    network = Network(stack("kda", 32))
    leaf = leaf_of(network)
    tokens, positions = probe()
    step = train(network, Recipe(30, 16), MEMBERS, copying, places=3, compiling="never").cpu_seconds / 30
    began = time.process_time()
    for _ in range(8):
        sample(network, leaf, tokens, positions)
    cost = (time.process_time() - began) / 8
    assert 16 * cost < 0.05 * 400 * step
