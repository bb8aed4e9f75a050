"""A matrix memory with exponential input gates, kept finite by a running maximum (arXiv 2405.04517, appendix A)."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

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
)
from novum.population.mixers.exponential_gates import ExponentialGates
from novum.population.mixers.mixer_core import CHUNK


@dataclass(frozen=True, slots=True)
class ExponentialGatesForm:
    """See :class:`ExponentialGates` for the equations. State: S and n side by side [N, K, E + 1], and the maximum m."""

    core: ExponentialGates

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        members, batch, length, _ = parts["q"].shape
        heads = self.core.heads
        inputs = self._inputs(own, {n: to_heads(x, heads) for n, x in parts.items()}, batch)
        wanted = rows_per_head(rows, heads)
        if length <= CHUNK:
            return from_heads(_chunk(inputs, None, wanted, last=True)[0], members, heads)
        outs: list[Tensor] = []
        state: tuple[Tensor, Tensor] | None = None
        for start in range(0, length, CHUNK):
            where = slice(start, min(start + CHUNK, length))
            out, state = _chunk(tuple(x[:, where] for x in inputs), state, None, last=where.stop == length)
            outs.append(out)
        return from_heads(pick(torch.cat(outs, 1), wanted), members, heads)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core, count = self.core, members * batch * self.core.heads
        matrix = like.new_zeros(count, core.d_key, core.width // core.heads + 1)
        return matrix, like.new_full((count, 1, 1), -1e30)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        members, batch, _ = parts["q"].shape
        heads = {name: to_heads(x[:, :, None], self.core.heads) for name, x in parts.items()}
        q, k, v, gate, forget = self._inputs(own, heads, batch)
        matrix, top = state
        new = torch.maximum(forget + top, gate)
        matrix = matrix * (forget + top - new).exp() + k.transpose(1, 2) @ v * (gate - new).exp()
        o = _read_out(torch.bmm(q, matrix), new)
        return token_from_heads(o[:, 0], members, self.core.heads), (matrix, new)

    def _inputs(self, own: Parts, heads: Parts, batch: int) -> tuple[Tensor, ...]:
        """q, k / sqrt K, v with a 1 behind, log i and log f per token."""
        bias = {name: per_head(own[f"{name}_bias"], self.core.heads, batch)[:, None] for name in ("input", "forget")}
        v = torch.cat([heads["v"], torch.ones_like(heads["v"][..., :1])], -1)
        forget = F.logsigmoid(heads["forget"] + bias["forget"])
        return heads["q"], heads["k"] * self.core.d_key**-0.5, v, heads["input"] + bias["input"], forget


def _read_out(both: Tensor, top: Tensor) -> Tensor:
    """S q / max(|n . q|, 1) of both side by side, all of them scaled by e^-top."""
    return both[..., :-1] / torch.maximum(both[..., -1:].abs(), (-top).exp()).clamp_min(1e-30)


def _chunk(
    inputs: tuple[Tensor, ...], state: tuple[Tensor, Tensor] | None, rows: Rows, *, last: bool
) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
    q, k, v, gate, forget = inputs
    g = forget.cumsum(1)
    blind = hidden(k.shape[1], rows, k.device)
    log_NxQxC = (pick(g, rows) - g.transpose(1, 2) + gate.transpose(1, 2)).masked_fill(blind, -torch.inf)
    top = log_NxQxC.amax(-1, keepdim=True)
    through = None if state is None else pick(g, rows) + state[1]
    top = top if through is None else torch.maximum(top, through)
    both = torch.bmm(torch.bmm(pick(q, rows), k.transpose(1, 2)) * (log_NxQxC - top).exp(), v)
    if state is not None and through is not None:
        both = both + torch.bmm(pick(q, rows), state[0]) * (through - top).exp()
    if last:
        return _read_out(both, top), None
    end, entered = g[:, -1:], g[:, -1:] - g + gate
    new = entered.amax(1, keepdim=True)
    new = new if state is None else torch.maximum(new, end + state[1])
    matrix = torch.bmm((k * (entered - new).exp()).transpose(1, 2), v)
    if state is not None:
        matrix = matrix + state[0] * (end + state[1] - new).exp()
    return _read_out(both, top), (matrix, new)
