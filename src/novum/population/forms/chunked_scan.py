"""A matrix of state that every token forgets from and writes to, in chunks (Yang et al., arXiv 2406.06484, 2412.06464).

Sizes: N independent sequences, T tokens, C tokens of a chunk, Q wanted tokens, K key channels, E value channels.
Within a chunk that starts from the state S, with g_t the running sum of log a, p the read and r the write keys:
    S_t = S diag(e^{g_t}) + sum_{i <= t} u_i (r_i e^{g_t - g_i})^T,    u_t = b_t (v_t - S_{t-1} diag(a_t) p_t) or v_t
so (I + L) U = b (V - (P e^g) S^T) with L = tril(b (P e^g) (R e^{-g})^T, -1): one triangular solve.

e^{-g} grows along the chunk. Each step's log decay lies within (-MAX_LOG_DECAY, 0], so its largest value is
e^{MAX_LOG_DECAY * CHUNK} = e^64 = 6e27: no overflow in float32 for keys shorter than 1e10.
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from novum.population.forms.tensors import Rows, hidden, pick
from novum.population.mixers.mixer_core import CHUNK
from novum.population.unit_lower_solve import unit_lower_solve


@dataclass(frozen=True, slots=True)
class Updates:
    """What each token does to the state: write v at the key `write`, [N, T, E] and [N, T, K]; further what is optional.

    `read` [N, T, K]: the key at which the stored value is compared first (None: v is added as it is); `beta` [N, T, 1]
    scales the correction; `log_decay` [N, T, 1 or K].
    """

    write: Tensor
    v: Tensor
    read: Tensor | None = None
    beta: Tensor | None = None
    log_decay: Tensor | None = None

    def part(self, where: slice) -> Updates:
        """Those of some tokens."""
        cut = (None if x is None else x[:, where] for x in (self.read, self.beta, self.log_decay))
        return Updates(self.write[:, where], self.v[:, where], *cut)


def chunked_scan(q_NxTxK: Tensor, updates: Updates, rows: Rows = None, chunk: int = CHUNK) -> Tensor:
    """o_t = S_t q_t at the wanted tokens, [N, Q, E]. `chunk` <= CHUNK."""
    length = q_NxTxK.shape[1]
    if length <= chunk:
        return _chunk(q_NxTxK, updates, None, rows)[0]
    outs: list[Tensor] = []
    state_NxKxE: Tensor | None = None
    for start in range(0, length, chunk):
        where = slice(start, min(start + chunk, length))
        out, state_NxKxE = _chunk(q_NxTxK[:, where], updates.part(where), state_NxKxE, None)
        outs.append(out)
    return pick(torch.cat(outs, dim=1), rows)


def _chunk(q: Tensor, up: Updates, state_NxKxE: Tensor | None, rows: Rows) -> tuple[Tensor, Tensor]:
    """Outputs [N, Q, E] of a chunk and the state after it, [N, K, E]."""
    read, write, end = up.read, up.write, None
    if up.log_decay is not None:
        g = up.log_decay.cumsum(1)
        grown = g.exp()
        q, write = q * grown, write * (-g).exp()
        read = None if read is None else read * grown
        end = grown[:, -1:].transpose(1, 2)
    u_NxCxE = up.v if read is None else _corrections(read, write, up, state_NxKxE)
    score_NxQxC = torch.bmm(pick(q, rows), write.transpose(1, 2))
    score_NxQxC = score_NxQxC.masked_fill(hidden(q.shape[1], rows, q.device), 0.0)
    o_NxQxE = torch.bmm(score_NxQxC, u_NxCxE)
    if state_NxKxE is not None:
        o_NxQxE = torch.baddbmm(o_NxQxE, q, state_NxKxE)
    written = torch.bmm(write.transpose(1, 2), u_NxCxE) if rows is None else None
    return o_NxQxE, _after(state_NxKxE, written, end)


def _after(state_NxKxE: Tensor | None, written: Tensor | None, end: Tensor | None) -> Tensor:
    if written is None:
        return torch.empty(0)
    total = written if state_NxKxE is None else state_NxKxE + written
    return total if end is None else total * end


def _corrections(read: Tensor, write: Tensor, up: Updates, state_NxKxE: Tensor | None) -> Tensor:
    """U of (I + L) U = b (V - P S), [N, C, E]."""
    right = up.v
    if state_NxKxE is not None:
        right = torch.baddbmm(right, read, state_NxKxE, alpha=-1)
    if up.beta is not None:
        right, read = right * up.beta, read * up.beta
    # Only the part below the diagonal is read, forward and backward, so no mask is needed.
    l_NxCxC = torch.bmm(read, write.transpose(1, 2))
    return unit_lower_solve(l_NxCxC, right)


def scan_step(q_NxK: Tensor, updates: Updates, state_NxKxE: Tensor) -> tuple[Tensor, Tensor]:
    """The same for one token, whose updates have T = 1: output [N, E] and the state after it."""
    write, v, read, beta = updates.write[:, 0], updates.v[:, 0], updates.read, updates.beta
    if updates.log_decay is not None:
        state_NxKxE = state_NxKxE * updates.log_decay[:, 0].exp()[:, :, None]
    if read is not None:
        v = v - torch.bmm(read, state_NxKxE)[:, 0]
        v = v if beta is None else v * beta[:, 0]
    state_NxKxE = torch.baddbmm(state_NxKxE, write[:, :, None], v[:, None])
    return torch.bmm(q_NxK[:, None], state_NxKxE)[:, 0], state_NxKxE
