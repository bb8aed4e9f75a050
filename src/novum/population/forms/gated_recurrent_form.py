"""GRU and LSTM, one token after the other."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from novum.population.forms.tensors import Parts, Rows, State, pick_tokens
from novum.population.mixers.gated_recurrent import GatedRecurrent


@dataclass(frozen=True, slots=True)
class GatedRecurrentForm:
    """See :class:`GatedRecurrent` for the sources. Gates: update, reset, new; or input, forget, output, new."""

    core: GatedRecurrent

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        gates_PxBxTxG = parts["gates"]
        state, outs = self.start(gates_PxBxTxG.shape[0], gates_PxBxTxG.shape[1], gates_PxBxTxG), []
        for x_PxBxG in gates_PxBxTxG.unbind(2):
            out, state = self.step(own, {"gates": x_PxBxG}, state)
            outs.append(out)
        return pick_tokens(torch.stack(outs, 2), rows)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        zero = like.new_zeros(members, batch, self.core.width)
        return (zero,) if self.core.kind == "gru" else (zero, zero)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        x_PxBxG = parts["gates"] + own["bias"][:, None]
        back_PxBxG = torch.bmm(state[0], own["recurrent"])
        size = self.core.width
        if self.core.kind == "gru":
            both = (x_PxBxG[..., : 2 * size] + back_PxBxG[..., : 2 * size]).sigmoid()
            update, reset = torch.split(both, size, -1)
            new = (x_PxBxG[..., 2 * size :] + reset * back_PxBxG[..., 2 * size :]).tanh()
            out = new + update * (state[0] - new)
            return out, (out,)
        total = x_PxBxG + back_PxBxG
        enter, keep, leave = torch.split(total[..., : 3 * size].sigmoid(), size, -1)
        cell = keep * state[1] + enter * total[..., 3 * size :].tanh()
        out = leave * cell.tanh()
        return out, (out, cell)
