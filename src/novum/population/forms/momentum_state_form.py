"""A matrix memory with momentum and forgetting, in exact chunks.

With A_ti the product of 1 - a over i < s <= t and E_ti that of h, the token i stands in M_t with the coefficient
C_ti = sum_{i <= j <= t} A_tj E_ji, so C = A E as lower triangular matrices. The corrections
u_t = b_t (v_t - M_{t-1} k_t) obey one triangular system with L_ti = b_t C_{t-1,i} (k_t . k_i).
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
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
    per_head,
    pick,
    rows_per_head,
    to_heads,
    token_from_heads,
    unit,
)
from novum.population.mixers.mixer_core import CHUNK
from novum.population.mixers.momentum_state import MomentumState
from novum.population.unit_lower_solve import unit_lower_solve


@dataclass(frozen=True, slots=True)
class MomentumStateForm:
    """See :class:`MomentumState` for the equations."""

    core: MomentumState

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        members, length = parts["q"].shape[0], parts["q"].shape[2]
        inputs = self._inputs(own, {n: to_heads(x, self.core.heads) for n, x in parts.items()})
        outs: list[Tensor] = []
        state: tuple[Tensor, Tensor] | None = None
        for start in range(0, length, CHUNK):
            where = slice(start, min(start + CHUNK, length))
            out, state = _chunk(tuple(x[:, where] for x in inputs), state, last=where.stop == length)
            outs.append(out)
        whole = outs[0] if len(outs) == 1 else torch.cat(outs, 1)
        return from_heads(pick(whole, rows_per_head(rows, self.core.heads)), members, self.core.heads)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core = self.core
        shape = (members * batch * core.heads, core.d_key, core.width // core.heads)
        return like.new_zeros(shape), like.new_zeros(shape)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        members = parts["q"].shape[0]
        heads = {name: to_heads(x[:, :, None], self.core.heads) for name, x in parts.items()}
        q, k, v, beta, keep, push = self._inputs(own, heads)
        memory, momentum = state
        correction = (v - torch.bmm(k, memory)) * beta
        momentum = momentum * push.exp() + k.transpose(1, 2) @ correction
        memory = memory * keep.exp() + momentum
        return token_from_heads(torch.bmm(q, memory)[:, 0], members, self.core.heads), (memory, momentum)

    def _inputs(self, own: Parts, heads: Parts) -> tuple[Tensor, ...]:
        """q, k of unit length, v, b, log(1 - a) and log h per token."""
        batch = heads["q"].shape[0] // (own["decay_bias"].shape[0] * self.core.heads)
        bias = {name: per_head(own[f"{name}_bias"], self.core.heads, batch)[:, None] for name in ("decay", "momentum")}
        keep = F.logsigmoid(-(heads["decay"] + bias["decay"]))
        push = F.logsigmoid(heads["momentum"] + bias["momentum"])
        return unit(heads["q"]), unit(heads["k"]), heads["v"], heads["beta"].sigmoid(), keep, push


def _products(log_NxCx1: Tensor) -> tuple[Tensor, Tensor]:
    """Products over i < s <= t as [N, C, C], zero above the diagonal, and over s <= t as [N, C, 1]."""
    g = log_NxCx1.cumsum(1)
    size = g.shape[1]
    above = torch.ones(size, size, dtype=torch.bool, device=g.device).triu(1)
    # Masked before the exponential: above the diagonal it may overflow, and zero times infinity has no gradient.
    return (g - g.transpose(1, 2)).masked_fill(above, -torch.inf).exp(), g.exp()


def _chunk(
    inputs: tuple[Tensor, ...], state: tuple[Tensor, Tensor] | None, *, last: bool
) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
    q, k, v, beta, keep, push = inputs
    kept_NxCxC, kept_NxCx1 = _products(keep)
    pushed_NxCxC, pushed_NxCx1 = _products(push)
    c_NxCxC = torch.bmm(kept_NxCxC, pushed_NxCxC)
    before = F.pad(c_NxCxC, (0, 0, 1, 0))[:, :-1]
    right = v
    through = None
    if state is not None:
        # Coefficient of the old momentum in M_t: sum_j A_tj e_j; the old memory has kept_NxCx1.
        through = torch.bmm(kept_NxCxC, pushed_NxCx1)
        right = right - _carried(k, _shifted(kept_NxCx1, 1.0), _shifted(through, 0.0), state)
    l_NxCxC = torch.bmm(k, k.transpose(1, 2)) * before * beta
    u = unit_lower_solve(l_NxCxC, right * beta)
    o = torch.bmm(torch.bmm(q, k.transpose(1, 2)) * c_NxCxC, u)
    if state is not None and through is not None:
        o = o + _carried(q, kept_NxCx1, through, state)
    if last:
        return o, None
    memory = torch.bmm(k.transpose(1, 2) * c_NxCxC[:, -1:], u)
    momentum = torch.bmm(k.transpose(1, 2) * pushed_NxCxC[:, -1:], u)
    if state is not None and through is not None:
        memory = memory + state[0] * kept_NxCx1[:, -1:] + state[1] * through[:, -1:]
        momentum = momentum + state[1] * pushed_NxCx1[:, -1:]
    return o, (memory, momentum)


def _shifted(x_NxCx1: Tensor, first: float) -> Tensor:
    return F.pad(x_NxCx1, (0, 0, 1, 0), value=first)[:, :-1]


def _carried(key: Tensor, kept: Tensor, through: Tensor, state: tuple[Tensor, Tensor]) -> Tensor:
    """What the states before the chunk say at `key`."""
    return torch.bmm(key, state[0]) * kept + torch.bmm(key, state[1]) * through
