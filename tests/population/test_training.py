"""A population trains as its members would alone; members come and go without disturbing each other."""

import os
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from novum.population import unit_lower_solve as native  # noqa: E402
from novum.population.compiled_step import has_compiler  # noqa: E402
from novum.population.member_count import suggested_places  # noqa: E402
from novum.population.mixers.named import NAMED  # noqa: E402
from novum.population.network import Network  # noqa: E402
from novum.population.recipe import Member, Recipe, schedule  # noqa: E402
from novum.population.stack import Layer, Stack  # noqa: E402
from novum.population.streams import stream  # noqa: E402
from novum.population.training import Ending, Patience, train  # noqa: E402
from novum.population.unit_lower_solve import unit_lower_solve  # noqa: E402

T, V = 12, 9
MEMBERS = [Member(3, 0.01), Member(4, 0.03, 0.1), Member(5, 0.003)]


@dataclass
class Rows:
    tokens: np.ndarray
    positions: np.ndarray
    answers: np.ndarray


def copying(seed, block, rows):
    """The answer is the token two places before."""
    tokens = stream(seed, f"train/{block}").integers(0, V, (rows, T))
    positions = np.broadcast_to(np.array([5, 8, 11]), (rows, 3))
    return Rows(tokens, positions, tokens[:, [3, 6, 9]])


def stack(name="kda", width=8):
    return Stack(V, V, width, (Layer(NAMED[name].make(1, 4, width), 4),))


@pytest.mark.parametrize("name", NAMED)
def test_members_of_a_population_train_as_they_would_alone(name):
    network, recipe = Network(stack(name)), Recipe(20, 4)
    together = train(network, recipe, MEMBERS, copying, places=3, compiling="never").members
    for member, one in zip(MEMBERS, together, strict=True):
        (alone,) = train(network, recipe, [member], copying, places=1, compiling="never").members
        assert np.abs(np.array(alone.losses) - np.array(one.losses)).max() < 1e-5
        assert one.ending is Ending.COMPLETE
        assert len(one.losses) == 20


def test_those_who_wait_take_the_places_of_those_who_end():
    network, recipe = Network(stack()), Recipe(12, 4)
    at_once = train(network, recipe, MEMBERS, copying, places=3, compiling="never").members
    in_turn = train(network, recipe, MEMBERS, copying, places=2, compiling="never").members
    for one, other in zip(at_once, in_turn, strict=True):
        assert np.abs(np.array(one.losses) - np.array(other.losses)).max() < 1e-5
        assert torch.allclose(one.parameters, other.parameters, atol=1e-4)


def test_a_member_that_diverges_leaves_and_the_others_do_not_notice():
    wild = Member(9, 1e9)
    network, recipe = Network(stack()), Recipe(16, 4, clip=1e9)
    calm = train(network, recipe, MEMBERS, copying, places=3, compiling="never").members
    mixed = train(network, recipe, [MEMBERS[0], wild, *MEMBERS[1:]], copying, places=3, compiling="never").members
    assert mixed[1].ending is Ending.DIVERGED
    assert len(mixed[1].losses) < 16
    for one, other in zip(calm, [mixed[0], *mixed[2:]], strict=True):
        assert np.abs(np.array(one.losses) - np.array(other.losses)).max() < 1e-5


def test_a_member_with_nothing_left_to_learn_leaves_early():
    def noise(seed, block, rows):
        found = copying(seed, block, rows)
        return Rows(found.tokens, found.positions, stream(seed, f"noise/{block}").integers(0, V, (rows, 3)))

    network, recipe = Network(stack()), Recipe(400, 4)
    patience = Patience(steps=40, first=0.1)
    (one,) = train(network, recipe, MEMBERS[:1], noise, compiling="never", patience=patience).members
    assert one.ending is Ending.PLATEAU
    assert len(one.losses) < 400
    (other,) = train(network, Recipe(100, 4), MEMBERS[:1], copying, compiling="never", patience=patience).members
    assert other.ending is Ending.COMPLETE


def test_training_learns_and_repeats_itself_to_the_last_bit():
    network, recipe = Network(stack("delta", 16)), Recipe(150, 8)
    one, other = (train(network, recipe, [Member(1, 0.03)], copying, compiling="never").members[0] for _ in range(2))
    assert one.losses == other.losses
    assert np.mean(one.losses[-10:]) < 0.5 * np.mean(one.losses[:10])


@pytest.mark.slow
@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler here")
@pytest.mark.parametrize("name", ["delta"])
def test_the_compiled_step_is_the_eager_one(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    network, recipe = Network(stack(name)), Recipe(20, 4)
    eager = train(network, recipe, MEMBERS, copying, places=2, compiling="never")
    fast = train(network, recipe, MEMBERS, copying, places=2, compiling="always")
    assert fast.step.compiled, fast.step.note
    assert not eager.step.compiled
    for one, other in zip(eager.members, fast.members, strict=True):
        assert np.abs(np.array(one.losses) - np.array(other.losses)).max() < 1e-4


def test_without_a_compiler_the_eager_step_runs_and_says_so(monkeypatch):
    monkeypatch.setattr("novum.population.compiled_step.has_compiler", lambda: False)
    found = train(Network(stack()), Recipe(2, 4), MEMBERS, copying, compiling="always")
    assert not found.step.compiled
    assert "compiler" in found.step.note


@pytest.mark.parametrize("shape", [(40, 32, 16), (70, 24, 12), (64, 16, 33)])
def test_many_small_triangular_systems_are_solved_as_torch_does(shape):
    count, size, width = shape
    rng = torch.Generator().manual_seed(0)
    lower = (0.2 * torch.randn(count, size, size, generator=rng)).requires_grad_()
    right = torch.randn(count, size, width, generator=rng).requires_grad_()
    pull = torch.randn(count, size, width, generator=rng)
    assert count * size >= native.FEWEST_ROWS
    if native.library() is None:
        pytest.skip("no C compiler here")
    mine = unit_lower_solve(lower, right)
    theirs = torch.linalg.solve_triangular(lower, right, upper=False, unitriangular=True)
    assert torch.allclose(mine, theirs, atol=1e-4, rtol=1e-4)
    found = torch.autograd.grad(mine, (lower, right), pull)
    wanted = torch.autograd.grad(theirs, (lower, right), pull)
    assert torch.allclose(found[0], wanted[0].tril(-1), atol=1e-3, rtol=1e-3)
    assert torch.allclose(found[1], wanted[1], atol=1e-3, rtol=1e-3)


def test_the_functions_in_c_leave_the_arithmetic_of_the_process_alone():
    """A library that is linked for fast mathematics has numbers below 2e-308 become zero everywhere in the process."""
    assert native.library() is not None or not has_compiler()
    smallest = np.array([5e-324, 1e-310])  # a product of two literals would be made when this file is compiled
    assert (smallest * 1.0 > 0).all()
    assert float(smallest[1]) * float(smallest.size) > 0


def test_functions_in_c_that_others_could_have_written_are_not_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"novum-native-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert native.library.__wrapped__() is None


def test_the_schedule_rises_and_ends_at_zero():
    factors = [schedule(step, 100, 0.1) for step in range(101)]
    assert factors[9] == 1.0
    assert factors == sorted(factors[:10]) + sorted(factors[10:], reverse=True)
    assert factors[100] == pytest.approx(0.0, abs=1e-12)


def test_initial_values_depend_on_seed_and_name_and_not_on_what_else_there_is():
    plain, wide = stack("delta"), Stack(V, V, 8, (Layer(NAMED["kda"].make(1, 4, 8), 4, gate=True),))
    one, other = plain.layout, wide.layout
    network, richer = Network(plain), Network(wide)
    first = network.take_apart(torch.from_numpy(one.initial([7])))
    second = richer.take_apart(torch.from_numpy(other.initial([7])))
    shared = sum(plain.layers[0].core.channels[name] for name in "qkv")
    assert torch.equal(first["embed"], second["embed"])
    assert torch.equal(first["0.in"][..., :shared], second["0.in"][..., :shared])
    assert not torch.equal(first["embed"], network.take_apart(torch.from_numpy(one.initial([8])))["embed"])


def test_more_members_fit_where_networks_are_small_and_memory_is_large():
    small, large = stack("delta", 8), stack("delta", 256)
    assert suggested_places(small, 16, 32) > suggested_places(large, 16, 32) >= 1
    assert suggested_places(large, 16, 32, free_bytes=100 << 30) > suggested_places(large, 16, 32, free_bytes=1 << 28)
