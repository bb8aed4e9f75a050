"""Ridge regression with forgetting, solved at every wanted token."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

from novum.population.forms.chunked_scan import Updates, chunked_scan, scan_step
from novum.population.forms.tensors import (
    Parts,
    Rows,
    State,
    from_heads,
    hidden,
    per_head,
    pick,
    rows_per_head,
    to_heads,
    token_from_heads,
    unit,
)
from novum.population.mixers.least_squares import LeastSquares
from novum.population.mixers.mixer_core import CHUNK, MAX_LOG_DECAY

LEAST_RIDGE = 0.05


@dataclass(frozen=True, slots=True)
class LeastSquaresForm:
    """See :class:`LeastSquares` for the equations."""

    core: LeastSquares

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        members, batch, length, _ = parts["q"].shape
        heads = self.core.heads
        q, k, v, decay, ridge = self._inputs(own, {n: to_heads(x, heads) for n, x in parts.items()}, batch)
        wanted = rows_per_head(rows, heads)
        updates = Updates(k, v, log_decay=decay)
        if length <= CHUNK:
            solved = _solved(pick(q, wanted), self._moments(k, decay, wanted, None)[0], ridge)
            full = torch.zeros_like(q) if wanted is not None else solved
            if wanted is not None:
                full = full.scatter(1, wanted[..., None].expand(-1, -1, q.shape[2]), solved)
            return from_heads(chunked_scan(full, updates, wanted), members, heads)
        solved_parts, moment = [], None
        for start in range(0, length, CHUNK):
            where = slice(start, min(start + CHUNK, length))
            moments, moment = self._moments(k[:, where], decay[:, where], None, moment)
            solved_parts.append(_solved(q[:, where], moments, ridge))
        return from_heads(chunked_scan(torch.cat(solved_parts, 1), updates, wanted), members, heads)

    def _moments(self, k: Tensor, decay: Tensor, rows_NxQ: Rows, carried_NxKxK: Tensor | None) -> tuple[Tensor, Tensor]:
        """Second moments of the keys at the wanted tokens [N, Q, K, K], and at the last one."""
        g = decay.cumsum(1)
        weight_NxQxC = (pick(g, rows_NxQ) - g.transpose(1, 2)).masked_fill(
            hidden(k.shape[1], rows_NxQ, k.device), -torch.inf
        )
        outer_NxCxKK = (k[..., :, None] * k[..., None, :]).flatten(2)
        size = k.shape[2]
        out = torch.unflatten(torch.bmm(weight_NxQxC.exp(), outer_NxCxKK), 2, (size, size))
        if carried_NxKxK is not None:
            out = out + pick(g, rows_NxQ).exp()[..., None] * carried_NxKxK[:, None]
        return out, out[:, -1]

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core, count = self.core, members * batch * self.core.heads
        size = core.width // core.heads
        return like.new_zeros(count, core.d_key, size), like.new_zeros(count, core.d_key, core.d_key)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        members, batch, _ = parts["q"].shape
        heads = {name: to_heads(x[:, :, None], self.core.heads) for name, x in parts.items()}
        q, k, v, decay, ridge = self._inputs(own, heads, batch)
        memory, moment = state
        moment = moment * decay.exp() + k.transpose(1, 2) * k
        solved = _solved(q, moment[:, None], ridge)
        o, memory = scan_step(solved[:, 0], Updates(k, v, log_decay=decay), memory)
        return token_from_heads(o, members, self.core.heads), (memory, moment)

    def _inputs(self, own: Parts, heads: Parts, batch: int) -> tuple[Tensor, ...]:
        """q; k and v times the root of b, so that both moments carry b once; log f; the ridge [N, K]."""
        count = self.core.heads
        decay = (heads["decay"] + per_head(own["decay_bias"], count, batch)[:, None]).sigmoid() * -MAX_LOG_DECAY
        root = heads["beta"].sigmoid().sqrt()
        ridge = F.softplus(per_head(own["ridge"], count, batch)) + LEAST_RIDGE
        return unit(heads["q"]), unit(heads["k"]) * root, heads["v"] * root, decay, ridge


def _solved(q_NxQxK: Tensor, moments_NxQxKxK: Tensor, ridge_NxK: Tensor) -> Tensor:
    """(G + L)^-1 q, [N, Q, K]."""
    system = moments_NxQxKxK + torch.diag_embed(ridge_NxK)[:, None]
    solved: Tensor = torch.linalg.solve(system, q_NxQxK[..., None])[..., 0]
    return solved
