"""The linear family: from inputs to keys, values, decays and corrections, and then `chunked_scan`."""

# ruff: noqa: N803 -- names of tensors end in their shapes
from __future__ import annotations

import math
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
    per_head,
    rows_per_head,
    to_heads,
    token_from_heads,
    turned,
    unit,
)
from novum.population.mixers.matrix_state import MatrixState
from novum.population.mixers.mixer_core import MAX_LOG_DECAY


@dataclass(frozen=True, slots=True)
class MatrixStateForm:
    """See :class:`MatrixState` for the equations."""

    core: MatrixState

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        members = parts["q"].shape[0]
        heads = {name: to_heads(x, self.core.heads) for name, x in parts.items()}
        angle = _wrapped(heads["angle"].tanh().double().cumsum(1)) if self.core.rotating else None
        moment = None
        if self.core.write == "preconditioned":
            moment = self._feature(_substeps(heads["k"], self.core.steps)).square().cumsum(1)
        q, updates = self._updates(own, heads, angle, moment)
        wanted, sub = rows_per_head(rows, self.core.heads), self.core.substeps
        if sub > 1:
            wanted = wanted if wanted is not None else torch.arange(q.shape[1] // sub, device=q.device)[None]
            wanted = (wanted * sub + sub - 1).expand(q.shape[0], -1)
        o = chunked_scan(q, updates, wanted)
        return from_heads(self._read_out(o), members, self.core.heads)

    def start(self, members: int, batch: int, like: Tensor) -> State:
        core = self.core
        count = members * batch * core.heads
        value = core.width // core.heads + (1 if core.normalised else 0)
        state = [like.new_zeros(count, core.features, value)]
        if core.rotating:
            state.append(like.new_zeros(count, 1, core.d_key // 2))
        if core.write == "preconditioned":
            state.append(like.new_zeros(count, 1, core.features))
        return tuple(state)

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        members, rest = parts["q"].shape[0], list(state[1:])
        heads = {name: to_heads(x[:, :, None], self.core.heads) for name, x in parts.items()}
        angle, moment, kept = None, None, []
        if self.core.rotating:
            angle = _wrapped(rest.pop(0).double() / math.pi + heads["angle"].tanh())
            kept.append(angle)
        if self.core.write == "preconditioned":
            moment = rest.pop(0) + self._feature(_substeps(heads["k"], self.core.steps)).square().cumsum(1)
            kept.append(moment[:, -1:])
        q, updates = self._updates(own, heads, angle, moment)
        matrix = state[0]
        for sub in range(self.core.substeps):
            o, matrix = scan_step(q[:, sub], updates.part(slice(sub, sub + 1)), matrix)
        return token_from_heads(self._read_out(o[:, None])[:, 0], members, self.core.heads), (matrix, *kept)

    def _feature(self, x: Tensor) -> Tensor:
        core = self.core
        if core.feature == "taylor2":
            x = (unit(x) if core.unit_keys else x) * core.d_key**-0.25
            pairs = (x[..., :, None] * x[..., None, :]).flatten(-2) * 0.5**0.5
            return torch.cat([torch.ones_like(x[..., :1]), x, pairs], dim=-1)
        if core.feature == "elu1":
            x = F.elu(x) + 1
        elif core.feature == "silu":
            x = F.silu(x)
        elif core.feature == "relu":
            x = x.relu()
        return unit(x) if core.unit_keys else x

    def _updates(self, own: Parts, heads: Parts, angle: Tensor | None, moment: Tensor | None) -> tuple[Tensor, Updates]:
        """Queries and updates of all substeps, [N, T·substeps, ...]."""
        core, steps = self.core, self.core.steps
        q = self._feature(heads["q"])
        k = self._feature(_substeps(heads["k"], steps))
        v = _substeps(heads["v"], steps)
        if angle is not None:
            q, k = turned(q, angle), turned(k, _repeated(angle, steps))
        if core.normalised:
            v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        decay = self._log_decay(own, heads, q)
        if core.write == "separate":
            return self._erase_then_write(heads, q, k, v, decay)
        if core.write == "hebb":
            return _repeated(q, steps), Updates(k, v, log_decay=_first_of(decay, steps))
        beta = _substeps(heads["beta"], steps).sigmoid() * core.beta
        if core.write == "longhorn":
            rate = beta / (1 + beta * k.square().sum(-1, keepdim=True))
            forgotten = torch.log1p(-rate * k.square())
            decay = _first_of(decay, steps)
            decay = forgotten if decay is None else forgotten + decay
            return _repeated(q, steps), Updates(k * rate, v, log_decay=decay)
        write = k
        if moment is not None:
            weighted = k / (moment + 1.0)
            write = weighted / ((k * weighted).sum(-1, keepdim=True) + 1e-6)
        return _repeated(q, steps), Updates(write, v, k, beta, _first_of(decay, steps))

    def _erase_then_write(
        self, heads: Parts, q: Tensor, k: Tensor, v: Tensor, decay: Tensor | None
    ) -> tuple[Tensor, Updates]:
        """S (diag(w) - e (a e)^T) + v k~^T as two updates: nothing is written at the key a e, then v is added at k~.

        The first compares S diag(w) with e / w, which reads S at e as the equation (arXiv 2503.14456) does.
        """
        steps = self.core.steps
        erase, rate = unit(_substeps(heads["erase"], steps)), _substeps(heads["rate"], steps).sigmoid() * self.core.beta
        decay = _first_of(decay, steps)
        read = erase if decay is None else erase * (-decay).exp()
        zero = torch.zeros_like(read)
        write = _interleaved(erase * rate, k * rate)
        values, reads = _interleaved(torch.zeros_like(v), v), _interleaved(read, zero)
        decays = None if decay is None else _interleaved(decay, torch.zeros_like(decay))
        return _repeated(q, 2 * steps), Updates(write, values, reads, None, decays)

    def _log_decay(self, own: Parts, heads: Parts, q: Tensor) -> Tensor | None:
        """Log decay in (-MAX_LOG_DECAY, 0), [N, T, 1 or K], or None."""
        core = self.core
        if core.decay == "none":
            return None
        batch = q.shape[0] // (own["decay_bias"].shape[0] * core.heads)
        raw = per_head(own["decay_bias"], core.heads, batch)[:, None]
        raw = raw.expand(-1, q.shape[1], -1) if core.decay == "constant" else heads["decay"] + raw
        return raw.sigmoid() * -MAX_LOG_DECAY

    def _read_out(self, o_NxQxE: Tensor) -> Tensor:
        if not self.core.normalised:
            return o_NxQxE
        return o_NxQxE[..., :-1] / o_NxQxE[..., -1:].abs().clamp_min(1.0)


def _wrapped(half_turns: Tensor) -> Tensor:
    """Angles in [-pi, pi] from half turns in double precision: a sum of many would lose its last digits."""
    return ((half_turns - 2 * (half_turns / 2).round()) * math.pi).float()


def _substeps(x_NxTxC: Tensor, steps: int) -> Tensor:
    """[N, T·steps, C / steps]: the inputs of each token, one after the other."""
    return x_NxTxC if steps == 1 else torch.unflatten(x_NxTxC, 2, (steps, -1)).flatten(1, 2)


def _repeated(x_NxTxC: Tensor, steps: int) -> Tensor:
    return x_NxTxC if steps == 1 else x_NxTxC.repeat_interleave(steps, dim=1)


def _first_of(x_NxTxC: Tensor | None, steps: int) -> Tensor | None:
    """`x` at the first of each token's substeps and 0 at the others."""
    if x_NxTxC is None or steps == 1:
        return x_NxTxC
    return F.pad(x_NxTxC[:, :, None], (0, 0, 0, steps - 1)).flatten(1, 2)


def _interleaved(a_NxTxC: Tensor, b_NxTxC: Tensor) -> Tensor:
    return torch.stack([a_NxTxC, b_NxTxC], dim=2).flatten(1, 2)
