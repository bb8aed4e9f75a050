"""The token mixers in parallel form. `naive` holds the recurrences they must equal.

Sizes: N independent sequences (members x batch x heads), T tokens, C tokens of a chunk, Q tokens whose output is
wanted, K key channels, E value channels. `rows` names the wanted tokens: None (all), a slice, or positions [N, Q].

Within a chunk that starts from the state S, with g_t the running sum of log a:
    S_t = S diag(e^{g_t}) + sum_{i <= t} u_i (k_i e^{g_t - g_i})^T,    u_t = b_t (v_t - S_{t-1} diag(a_t) k_t) or v_t
so (I + L) U = b (V - (K e^g) S^T) with L = tril(b (K e^g) (K e^{-g})^T, -1): one triangular solve (Yang et al.,
arXiv 2406.06484 and 2412.06464; per channel: Kimi Delta Attention, 2510.26692).

e^{-g} grows along the chunk. The model keeps each step's log decay within (-MAX_LOG_DECAY, 0), so its largest value is
e^{MAX_LOG_DECAY * CHUNK} = e^64 = 6e27: no overflow in float32 for keys shorter than 1e10.
The solve stays a solve: the inverse by Neumann doubling, (I-L)(I+L^2)(I+L^4)..., took 2-3 times as long on a CPU (7 ms
against 2.5 at N=128, C=64) and cancels catastrophically when a key repeats, as L^k then grows like binomial(C, k).
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

from novum.arenas.recall.layout import CHUNK

MAX_LOG_DECAY = 1.0

Rows = slice | Tensor | None


def pick(x_NxTxC: Tensor, rows: Rows) -> Tensor:
    """The wanted tokens of `x`: [N, Q, C]."""
    if rows is None:
        return x_NxTxC
    if isinstance(rows, slice):
        return x_NxTxC[:, rows]
    return x_NxTxC.gather(1, rows[..., None].expand(-1, -1, x_NxTxC.shape[2]))


def _hidden(length: int, rows: Rows) -> Tensor:
    """True where a wanted token must not look: [1 or N, Q, T]."""
    steps_T = torch.arange(length)
    if rows is None or isinstance(rows, slice):
        rows = (steps_T if rows is None else steps_T[rows])[None]
    return steps_T > rows[..., None]


def _chunk(
    q_NxQxK: Tensor,
    grown: Tensor,
    k_NxCxK: Tensor,
    v_NxCxE: Tensor,
    beta_NxCx1: Tensor | None,
    state_NxKxE: Tensor | None,
    hidden: Tensor,
) -> tuple[Tensor, Tensor]:
    """Outputs [N, Q, E] and pseudo-values U [N, C, E]. Given: q e^g, k e^g (`grown`), k e^{-g} (`k_NxCxK`)."""
    shrunk_NxKxC = k_NxCxK.transpose(1, 2)
    u_NxCxE = v_NxCxE
    if beta_NxCx1 is not None:
        if state_NxKxE is not None:
            u_NxCxE = torch.baddbmm(u_NxCxE, grown, state_NxKxE, alpha=-1)
        l_NxCxC = torch.bmm(grown * beta_NxCx1, shrunk_NxKxC)
        # Only the part below the diagonal is read, forward and backward, so no mask is needed.
        u_NxCxE = torch.linalg.solve_triangular(l_NxCxC, u_NxCxE * beta_NxCx1, upper=False, unitriangular=True)
    score_NxQxC = torch.bmm(q_NxQxK, shrunk_NxKxC).masked_fill(hidden, 0.0)
    o_NxQxE = torch.bmm(score_NxQxC, u_NxCxE)
    return (o_NxQxE if state_NxKxE is None else torch.baddbmm(o_NxQxE, q_NxQxK, state_NxKxE)), u_NxCxE


def recurrent(
    q_NxTxK: Tensor,
    k_NxTxK: Tensor,
    v_NxTxE: Tensor,
    log_decay: Tensor | None,
    beta_NxTx1: Tensor | None,
    rows: Rows = None,
    chunk: int = CHUNK,
) -> Tensor:
    """o_t = S_t q_t at the wanted tokens, [N, Q, E]: the same function as `naive.recurrent`.

    `log_decay` is [N, T, 1] or [N, T, K], each entry in (-MAX_LOG_DECAY, 0], or None. With `beta_NxTx1` in (0, 2) keys
    must have at most unit length. `chunk` <= CHUNK.
    """
    length = q_NxTxK.shape[1]
    single = length <= chunk
    outs: list[Tensor] = []
    state_NxKxE: Tensor | None = None
    for start in range(0, length, chunk):
        part = slice(start, min(start + chunk, length))
        q, k, v = q_NxTxK[:, part], k_NxTxK[:, part], v_NxTxE[:, part]
        beta = None if beta_NxTx1 is None else beta_NxTx1[:, part]
        grown, shrunk, end = k, k, None
        if log_decay is not None:
            g = log_decay[:, part].cumsum(1)
            up, end = g.exp(), g[:, -1:].transpose(1, 2).exp()
            q, grown, shrunk = q * up, k * up, k * (-g).exp()
        q = pick(q, rows) if single else q
        out, u = _chunk(q, grown, shrunk, v, beta, state_NxKxE, _hidden(k.shape[1], rows if single else None))
        outs.append(out)
        if part.stop < length:
            state_NxKxE = _advance(state_NxKxE, shrunk, u, end)
    return outs[0] if single else pick(torch.cat(outs, dim=1), rows)


def _advance(state_NxKxE: Tensor | None, shrunk_NxCxK: Tensor, u_NxCxE: Tensor, end: Tensor | None) -> Tensor:
    """The state after a chunk: (S + sum_i u_i (k_i e^{-g_i})^T) e^{g_C}, in the layout [N, K, E]."""
    written = torch.bmm(shrunk_NxCxK.transpose(1, 2), u_NxCxE)
    total = written if state_NxKxE is None else state_NxKxE + written
    return total if end is None else total * end


def attention(q_NxTxK: Tensor, k_NxTxK: Tensor, v_NxTxE: Tensor, rows: Rows = None) -> Tensor:
    """Causal softmax attention at the wanted tokens, [N, Q, E] (arXiv 1706.03762); scaling is the caller's."""
    score_NxQxT = torch.bmm(pick(q_NxTxK, rows), k_NxTxK.transpose(1, 2))
    score_NxQxT = score_NxQxT.masked_fill(_hidden(k_NxTxK.shape[1], rows), -torch.inf)
    return torch.bmm(score_NxQxT.softmax(-1), v_NxTxE)


def rotary(x_NxTxK: Tensor) -> Tensor:
    """Rotate channel pairs (i, i + K/2) of token t by the angle t * 10000^(-2i/K) (RoPE, arXiv 2104.09864)."""
    length, half = x_NxTxK.shape[1], x_NxTxK.shape[2] // 2
    angle_TxF = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(half) / half)
    cos, sin = angle_TxF.cos(), angle_TxF.sin()
    a, b = x_NxTxK[..., :half], x_NxTxK[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def feature(x: Tensor, name: str) -> Tensor:
    """The feature map `name` of q or k; elu1 is elu + 1 (arXiv 2006.16236)."""
    if name == "elu1":
        return F.elu(x) + 1
    if name == "silu":
        return F.silu(x)
    return x.relu() if name == "relu" else x


def unit(x: Tensor) -> Tensor:
    """Rows of at most unit length; the small constant keeps zero rows, and their gradient, finite."""
    return x * (x.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def rms(x: Tensor) -> Tensor:
    """Rows divided by their root mean square (RMSNorm without gain, arXiv 1910.07467)."""
    return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
