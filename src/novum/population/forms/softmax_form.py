"""Softmax attention: all pairs of tokens in training, a growing memory of keys and values one token at a time."""

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
    hidden,
    per_head,
    pick,
    rows_per_head,
    to_heads,
    token_from_heads,
    turned,
    unit,
)
from novum.population.mixers.softmax import Softmax


@dataclass(frozen=True, slots=True)
class SoftmaxForm:
    """See :class:`Softmax` for the equations."""

    core: Softmax

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        members = parts["q"].shape[0]
        weights_NxQxT = self.weights(own, parts, rows)
        return from_heads(torch.bmm(weights_NxQxT, to_heads(parts["v"], self.core.heads)), members, self.core.heads)

    def weights(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        """How much each wanted token attends to every token, [N, Q, T]; rows sum to one."""
        members, batch, length, _ = parts["q"].shape
        heads = {name: to_heads(x, self.core.heads) for name, x in parts.items()}
        steps_T = torch.arange(length, device=parts["q"].device)
        q, k = self._keyed(own, heads["q"], batch, steps_T), self._keyed(None, heads["k"], batch, steps_T)
        wanted = rows_per_head(rows, self.core.heads)
        forgotten = self._log_forget(own, heads, batch)
        summed = None if forgotten is None else forgotten.cumsum(1)
        when_NxQ = steps_T[None] if wanted is None else wanted
        score = torch.bmm(pick(q, wanted), k.transpose(1, 2)) + self._bias(when_NxQ, steps_T, members * batch)
        if summed is not None:
            score = score + pick(summed, wanted) - summed.transpose(1, 2)
        blind = hidden(length, wanted, score.device)
        if self.core.window:
            blind = blind | (steps_T <= when_NxQ[..., None] - self.core.window)
        return score.masked_fill(blind, -torch.inf).softmax(-1)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core, count = self.core, members * batch * self.core.heads
        empty = (like.new_zeros(count, 0, core.d_key), like.new_zeros(count, 0, core.width // core.heads))
        return (*empty, *((like.new_zeros(count, 0, 1),) if core.forget else ()), like.new_zeros(()))

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        members, batch, _ = parts["q"].shape
        core, (*memory, now) = self.core, state
        heads = {name: to_heads(x[:, :, None], core.heads) for name, x in parts.items()}
        forgotten = self._log_forget(own, heads, batch)
        # What is forgotten now counts against everything before; it is kept as the sum since each token.
        added = [self._keyed(None, heads["k"], batch, now[None]), heads["v"]]
        if forgotten is not None:
            memory[2] = memory[2] + forgotten
            added.append(torch.zeros_like(forgotten))
        kept = [torch.cat([old, new], 1) for old, new in zip(memory, added, strict=True)]
        if core.window:
            kept = [x[:, -core.window :] for x in kept]
        count = kept[0].shape[1]
        steps = now - torch.arange(count - 1, -1, -1, device=now.device)
        q = self._keyed(own, heads["q"], batch, now[None])
        score = torch.bmm(q, kept[0].transpose(1, 2)) + self._bias(now[None, None], steps, members * batch)
        if forgotten is not None:
            score = score + kept[2].transpose(1, 2)
        o = torch.bmm(score.softmax(-1), kept[1])[:, 0]
        return token_from_heads(o, members, core.heads), (*kept, now + 1)

    def _keyed(self, own: Parts | None, x_NxTxK: Tensor, batch: int, steps_T: Tensor) -> Tensor:
        """Queries (own given: scaled) or keys with their positions."""
        core = self.core
        if core.unit_keys:
            x_NxTxK = unit(x_NxTxK)
        if core.positions == "rotary":
            half = core.d_key // 2
            rate_F = 10000.0 ** (-torch.arange(half, device=x_NxTxK.device) / half)
            x_NxTxK = turned(x_NxTxK, steps_T[:, None] * rate_F)
        if own is None:
            return x_NxTxK
        if core.unit_keys:
            return x_NxTxK * per_head(own["temperature"], core.heads, batch)[:, None].exp()
        scale: float = core.d_key**-0.5
        return x_NxTxK * scale

    def _bias(self, when_NxQ: Tensor, steps_T: Tensor, sequences: int) -> Tensor | float:
        """ALiBi: -m (t - i) with m = 2^(-8 h / H) for head h = 1..H."""
        if self.core.positions != "alibi":
            return 0.0
        heads = self.core.heads
        slope_H = 2.0 ** (-8.0 * torch.arange(1, heads + 1, device=steps_T.device) / heads)
        return -slope_H.repeat(sequences)[:, None, None] * (when_NxQ[..., None] - steps_T)

    def _log_forget(self, own: Parts, heads: Parts, batch: int) -> Tensor | None:
        if not self.core.forget:
            return None
        return F.logsigmoid(heads["forget"] + per_head(own["forget_bias"], self.core.heads, batch)[:, None])
