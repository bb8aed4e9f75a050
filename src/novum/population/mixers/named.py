"""Published mixers as points of the families, by name: what each sets, and where it comes from.

Heads share out the width; `d_key` is the length of a key per head. Where a paper's block has more around the mixer than
a short convolution, unit RMS and an output gate, that is left out so that mixers are compared and not blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from novum.population.mixers.exponential_gates import ExponentialGates
from novum.population.mixers.gated_recurrent import GatedRecurrent
from novum.population.mixers.least_squares import LeastSquares
from novum.population.mixers.long_convolution import LongConvolution
from novum.population.mixers.matrix_state import MatrixState
from novum.population.mixers.mini_batch_state import MiniBatchState
from novum.population.mixers.mixer_core import Core
from novum.population.mixers.momentum_state import MomentumState
from novum.population.mixers.passing import Passing
from novum.population.mixers.softmax import Softmax

Make = Callable[[int, int, int], Core]
"""From heads, d_key and width."""


@dataclass(frozen=True, slots=True)
class Named:
    """A published mixer."""

    make: Make
    source: str
    equation: str


def _attention(**changes: object) -> Make:
    return lambda heads, d_key, width: Softmax(heads, d_key, width, **changes)  # type: ignore[arg-type]


def _linear(**changes: object) -> Make:
    return lambda heads, d_key, width: MatrixState(heads, d_key, width, **changes)  # type: ignore[arg-type]


WINDOW = 16
"""Tokens that the sliding window sees here: a quarter of the longest training sequences."""

NAMED: Mapping[str, Named] = {
    "attention": Named(_attention(), "1706.03762, without positions (2305.19466)", "o = sum softmax(q.k) v"),
    "attention-rotary": Named(_attention(positions="rotary"), "2104.09864", "q, k turned by t 10000^(-2i/K)"),
    "attention-alibi": Named(_attention(positions="alibi"), "2108.12409", "q.k - m (t - i)"),
    "attention-window": Named(_attention(positions="rotary", window=WINDOW), "2004.05150", f"the last {WINDOW} tokens"),
    "attention-forgetting": Named(_attention(forget=True), "2503.02130", "q.k + sum log f"),
    "linear": Named(
        _linear(feature="elu1", normalised=True), "2006.16236", "S += v phi(k)^T, o = S phi(q) / (n.phi(q))"
    ),
    "based": Named(_linear(feature="taylor2", normalised=True), "2402.18668", "phi(x) = 1, x, x (x) x / sqrt 2"),
    "retnet": Named(_linear(decay="constant"), "2307.08621", "S = g S + v k^T"),
    "gla": Named(_linear(decay="vector"), "2312.06635", "S = S diag(a(x)) + v k^T"),
    "mamba2": Named(_linear(decay="scalar"), "2405.21060", "S = a(x) S + v k^T"),
    "mamba3": Named(_linear(decay="scalar", rotating=True), "2603.15569, one rotation a pair", "S = a R S + v k^T"),
    "delta": Named(_linear(write="delta", unit_keys=True), "2102.11174, 2406.06484", "S += b (v - S k) k^T"),
    "delta-wide": Named(
        _linear(write="delta", unit_keys=True, beta=2), "2411.12537", "S += b (v - S k) k^T, b in (0, 2)"
    ),
    "gated-delta": Named(
        _linear(write="delta", unit_keys=True, decay="scalar"), "2412.06464", "S = a S (I - b k k^T) + b v k^T"
    ),
    "kda": Named(
        _linear(write="delta", unit_keys=True, decay="vector"), "2510.26692", "S = S diag(a) (I - b k k^T) + b v k^T"
    ),
    "delta-product": Named(
        _linear(write="delta", unit_keys=True, beta=2, steps=2), "2502.10297", "two delta steps a token, b in (0, 2)"
    ),
    "rwkv7": Named(
        _linear(write="separate", unit_keys=True, decay="vector"), "2503.14456", "S (diag(w) - e (a e)^T) + v k~^T"
    ),
    "longhorn": Named(
        _linear(write="longhorn", unit_keys=True), "2407.14207, one rate a head", "S (I - d diag(k^2)) + d v k^T"
    ),
    "preconditioned-delta": Named(
        _linear(write="preconditioned", unit_keys=True), "2604.21100, diagonal", "S += b (v - S k) (D k)^T / (k.D k)"
    ),
    "mlstm": Named(ExponentialGates, "2405.04517", "S = f S + i v k^T, o = S q / max(|n.q|, 1)"),
    "mesa": Named(LeastSquares, "2506.05233", "o = H (G + L)^-1 q"),
    "titans": Named(MomentumState, "2501.00663, linear memory", "M = (1-a) M + m, m = h m + b (v - M k) k^T"),
    "ttt-linear": Named(MiniBatchState, "2407.04620, without its layer norm", "S += b (v - S' k) k^T"),
    "hyena": Named(
        lambda _heads, _key, width: LongConvolution(width), "2302.10866, order 2", "o = q * (h (*) (k * v))"
    ),
    "gru": Named(lambda _heads, _key, width: GatedRecurrent(width, "gru"), "1406.1078", "h = (1 - z) n + z h"),
    "lstm": Named(
        lambda _heads, _key, width: GatedRecurrent(width, "lstm"), "Hochreiter and Schmidhuber 1997", "c = f c + i tanh"
    ),
    "conv": Named(lambda _heads, _key, width: Passing(width), "as in 2312.04927 (BaseConv)", "o = sum_j c_j x_{t-j}"),
}
