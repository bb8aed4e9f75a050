"""The parallel mixers equal the recurrences they stand for, in values and gradients."""

import itertools

import pytest
import torch

from novum.arenas.recall import mixers, naive
from novum.arenas.recall.conv import short_convolution

N, T, K, E = 6, 19, 8, 5
DECAYS = ("none", "constant", "scalar", "vector")


def case(decay, beta, dtype=torch.float32, length=T, strength=1.0):
    torch.manual_seed(len(decay) + 10 * beta)
    q, k = (mixers.unit(torch.randn(N, length, K, dtype=dtype)) for _ in range(2))
    # A repeated key is what overwriting looks like, and the hard case for any inverse of I + L.
    k[:, 3::4] = k[:, 3:4]
    v = torch.randn(N, length, E, dtype=dtype)
    width = {"none": 0, "constant": 1, "scalar": 1, "vector": K}[decay]
    raw = torch.randn(N, 1 if decay == "constant" else length, width, dtype=dtype).expand(N, length, width)
    log_decay = -(raw * 2 + 1).sigmoid() * mixers.MAX_LOG_DECAY * strength if width else None
    b = torch.rand(N, length, 1, dtype=dtype) * beta if beta else None
    return [x if x is None else x.clone().requires_grad_() for x in (q, k, v, log_decay, b)]


@pytest.mark.parametrize(("decay", "beta", "chunk"), [*itertools.product(DECAYS, (0, 1, 2), (1, 4, 7, 19, 64))])
def test_chunks_equal_the_recurrence(decay, beta, chunk):
    given = case(decay, beta)
    leaves = [x for x in given if x is not None]
    weight = torch.randn(N, T, E)
    fast, slow = mixers.recurrent(*given, chunk=chunk), naive.recurrent(*given)
    torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-4)
    grads = [torch.autograd.grad((o * weight).sum(), leaves) for o in (fast, slow)]
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("decay", "beta"), [*itertools.product(DECAYS, (0, 2))])
@pytest.mark.parametrize("chunk", [4, 64])
def test_wanted_rows_are_rows_of_the_whole(decay, beta, chunk):
    given = case(decay, beta)
    whole = mixers.recurrent(*given)
    torch.testing.assert_close(mixers.recurrent(*given, rows=slice(14, T), chunk=chunk), whole[:, 14:])
    rows = torch.stack([torch.randperm(T)[:5] for _ in range(N)])
    torch.testing.assert_close(mixers.recurrent(*given, rows=rows, chunk=chunk), mixers.pick(whole, rows))


@pytest.mark.parametrize("decay", ["scalar", "vector"])
def test_the_strongest_decay_neither_overflows_nor_loses_the_recent(decay):
    q, k, v, log_decay, b = case(decay, 1, length=150)
    log_decay = torch.full_like(log_decay, -mixers.MAX_LOG_DECAY).requires_grad_()
    fast = mixers.recurrent(q, k, v, log_decay, b)
    torch.testing.assert_close(fast, naive.recurrent(q, k, v, log_decay, b), atol=1e-4, rtol=1e-4)
    assert torch.autograd.grad(fast.sum(), log_decay)[0].isfinite().all()


def test_the_delta_rule_overwrites_and_hebb_adds():
    key = torch.tensor([1.0, 0.0])
    k = key.expand(1, 2, 2)
    v = torch.tensor([[[1.0], [5.0]]])
    assert mixers.recurrent(k, k, v, None, None)[0, :, 0].tolist() == [1.0, 6.0]
    assert mixers.recurrent(k, k, v, None, torch.ones(1, 2, 1))[0, :, 0].tolist() == [1.0, 5.0]


@pytest.mark.parametrize("rows", [None, slice(9, T), "positions"])
def test_attention_equals_its_definition(rows):
    q, k, v, _, _ = case("none", 0)
    if rows == "positions":
        rows = torch.stack([torch.randperm(T)[:5] for _ in range(N)])
    torch.testing.assert_close(mixers.attention(q * 3, k, v, rows), mixers.pick(naive.attention(q * 3, k, v), rows))


def test_rotary_scores_depend_on_distance_only():
    q, k = torch.randn(2, 1, 1, 8).unbind()
    q, k = mixers.rotary(q.expand(1, 30, 8)), mixers.rotary(k.expand(1, 30, 8))
    score = (q @ k.transpose(1, 2))[0]
    for distance in (0, 1, 7):
        diagonal = score.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=1e-4)
    assert score.diagonal(0)[0] != score.diagonal(-7)[0]


@pytest.mark.parametrize(("taps", "length"), [(1, 5), (2, 5), (4, 9), (4, 3)])
def test_convolution_equals_its_sum_and_its_gradient_is_right(taps, length):
    torch.manual_seed(0)
    x = torch.randn(2, 3, length, 4, dtype=torch.float64, requires_grad=True)
    c = torch.randn(2, taps, 4, dtype=torch.float64, requires_grad=True)
    literal = torch.zeros_like(x)
    for t, j in itertools.product(range(length), range(taps)):
        if t >= j:
            literal[:, :, t] = literal[:, :, t] + c[:, None, j] * x[:, :, t - j]
    torch.testing.assert_close(short_convolution(x, c), literal)
    assert torch.autograd.gradcheck(short_convolution, (x, c))
