"""A matrix memory trained by gradient descent on mini-batches of tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from novum.population.forms.tensors import (
    Parts,
    Rows,
    State,
    from_heads,
    pick,
    rows_per_head,
    to_heads,
    token_from_heads,
    unit,
)
from novum.population.mixers.mini_batch_state import MiniBatchState
from novum.population.mixers.mixer_core import MINI_BATCH


@dataclass(frozen=True, slots=True)
class MiniBatchStateForm:
    """See :class:`MiniBatchState` for the equations."""

    core: MiniBatchState

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        del own
        members, length = parts["q"].shape[0], parts["q"].shape[2]
        q, k, v, beta = self._inputs({name: to_heads(x, self.core.heads) for name, x in parts.items()})
        outs: list[Tensor] = []
        state: Tensor | None = None
        for start in range(0, length, MINI_BATCH):
            where = slice(start, min(start + MINI_BATCH, length))
            q_, k_, u = q[:, where], k[:, where], v[:, where]
            if state is not None:
                u = u - torch.bmm(k_, state)
            u = u * beta[:, where]
            o = torch.bmm(torch.bmm(q_, k_.transpose(1, 2)).tril(), u)
            outs.append(o if state is None else torch.baddbmm(o, q_, state))
            if where.stop < length:
                written = torch.bmm(k_.transpose(1, 2), u)
                state = written if state is None else state + written
        whole = outs[0] if len(outs) == 1 else torch.cat(outs, 1)
        return from_heads(pick(whole, rows_per_head(rows, self.core.heads)), members, self.core.heads)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core = self.core
        shape = (members * batch * core.heads, core.d_key, core.width // core.heads)
        return like.new_zeros(shape), like.new_zeros(shape), like.new_zeros((), dtype=torch.long)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        del own
        members = parts["q"].shape[0]
        q, k, v, beta = self._inputs({n: to_heads(x[:, :, None], self.core.heads) for n, x in parts.items()})
        frozen, memory, now = state
        memory = memory + k.transpose(1, 2) @ ((v - torch.bmm(k, frozen)) * beta)
        o = token_from_heads(torch.bmm(q, memory)[:, 0], members, self.core.heads)
        now = now + 1
        return o, (memory if int(now) % MINI_BATCH == 0 else frozen, memory, now)

    def _inputs(self, heads: Parts) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return unit(heads["q"]), unit(heads["k"]), heads["v"], heads["beta"].sigmoid()
