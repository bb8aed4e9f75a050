"""A population of small sequence models with the member axis in every tensor.

Embedding, then per layer x <- x + mixer(RMSNorm(x)), then RMSNorm and a linear head at the labelled positions only;
no MLP, as in Zoology (arXiv 2312.04927). Sizes: P members, B sequences, T tokens, Q labelled tokens, V vocabulary,
D width, H heads, K key and E = D/H value channels per head, C channels of a layer's fused projection, n parameters,
N = P·B·H.
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 -- the name everybody uses
from torch import Tensor

from novum.arenas.recall import mixers
from novum.arenas.recall.conv import short_convolution
from novum.arenas.recall.data import stream
from novum.arenas.recall.layout import Shapes, channels, shapes
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import Design

Parts = dict[str, Tensor]


@dataclass(frozen=True)
class Model:
    """The functions of one design; the parameters of a population are a leaf [P, n] that the caller owns."""

    design: Design
    options: Options

    @cached_property
    def shapes(self) -> Shapes:
        """Parameter shapes by name, in the order of the leaf."""
        return shapes(self.design, self.options)

    def initial(self, seeds: Sequence[int]) -> Tensor:
        """Initial parameters [P, n]. A parameter's values depend on its member's seed, its name and its shape alone."""
        rows = [np.concatenate([_draw(seed, *item).ravel() for item in self.shapes.items()]) for seed in seeds]
        return torch.from_numpy(np.stack(rows))

    def take_apart(self, leaf_Pxn: Tensor) -> Parts:
        """Views [P, ...] of the leaf by name; one split, hence one backward node for all parameters."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        pieces = torch.split(leaf_Pxn, sizes, dim=1)
        return {name: torch.unflatten(x, 1, s) for (name, s), x in zip(self.shapes.items(), pieces, strict=True)}

    def lost_trials(self, leaf_Pxn: Tensor, tokens: Tensor, positions: Tensor, answers_PxBxQ: Tensor) -> Tensor:
        """Mean cross-entropy in nats at the labelled positions, [P]."""
        logits_PxRxV = self.logits(leaf_Pxn, tokens, positions).flatten(1, 2)
        chosen_PxR = logits_PxRxV.gather(2, answers_PxBxQ.flatten(1)[..., None])[..., 0]
        return (logits_PxRxV.logsumexp(-1) - chosen_PxR).mean(1)

    def logits(self, leaf_Pxn: Tensor, tokens_PxBxT: Tensor, positions_PxBxQ: Tensor) -> Tensor:
        """Logits [P, B, Q, V] at the labelled positions.

        What is a function of the token alone (the first layer's norm and projection) is computed once per word of the
        vocabulary and looked up; the last layer's output is computed at the labelled positions only.
        """
        w = self.take_apart(leaf_Pxn)
        last = self.options.layers - 1
        word_PxVxC = torch.bmm(mixers.rms(w["embed"]) * w["0.norm"][:, None], self._fused(w, 0))
        c_PxBxTxC = _look_up(word_PxVxC, tokens_PxBxT)
        x = _look_up(w["embed"], tokens_PxBxT if last else tokens_PxBxT.gather(2, positions_PxBxQ))
        for layer in range(self.options.layers):
            if layer:
                c_PxBxTxC = _project(mixers.rms(x) * w[f"{layer}.norm"][:, None, None], self._fused(w, layer))
                x = self._at(x, positions_PxBxQ) if layer == last else x
            x = x + self._mix(w, layer, c_PxBxTxC, positions_PxBxQ if layer == last else None)
        return _project(mixers.rms(x) * w["norm"][:, None, None], w["head"])

    def _fused(self, w: Parts, layer: int) -> Tensor:
        return torch.cat([w[f"{layer}.{name}"] for name in channels(self.design, self.options)], dim=2)

    def _rows(self, positions_PxBxQ: Tensor | None) -> mixers.Rows:
        """The wanted tokens for [N, T, ...] tensors; overwrite asks at the end, which a slice reads without a copy."""
        if positions_PxBxQ is None:
            return None
        if self.options.task == "overwrite":
            return slice(self.options.length - self.options.queries, self.options.length)
        return positions_PxBxQ[:, :, None].expand(-1, -1, self.design.heads, -1).flatten(0, 2)

    def _at(self, x_PxBxTxC: Tensor, positions_PxBxQ: Tensor | None) -> Tensor:
        if positions_PxBxQ is None:
            return x_PxBxTxC
        if self.options.task == "overwrite":
            return x_PxBxTxC[:, :, self.options.length - self.options.queries :]
        return x_PxBxTxC.gather(2, positions_PxBxQ[..., None].expand(-1, -1, -1, x_PxBxTxC.shape[3]))

    def _mix(self, w: Parts, layer: int, c_PxBxTxC: Tensor, positions_PxBxQ: Tensor | None) -> Tensor:
        """The mixer's contribution to the residual stream, [P, B, Q or T, D]."""
        design, own = self.design, {name: w[f"{layer}.{name}"] for name in self._names(layer)}
        widths = channels(design, self.options)
        inner = sum(widths[name] for name in "qkv")
        qkv, extra = c_PxBxTxC, []
        if len(widths) > 3:
            qkv, *extra = torch.split(c_PxBxTxC, [inner, *list(widths.values())[3:]], dim=3)
        if design.conv:
            qkv = F.silu(short_convolution(qkv, torch.cat([own[f"conv_{name}"] for name in "qkv"], dim=2)))
        parts = dict(zip(widths, [*torch.split(qkv, [widths[name] for name in "qkv"], dim=3), *extra], strict=True))
        q, k, v = (_to_heads(parts[name], design.heads) for name in "qkv")
        rows = self._rows(positions_PxBxQ)
        mix = self._attend if design.mixer == "attention" else self._recur
        o_PxBxQxD = _from_heads(mix(q, k, v, parts, own, rows), c_PxBxTxC.shape[0], design.heads)
        if "out_norm" in own:
            o_PxBxQxD = o_PxBxQxD * own["out_norm"][:, None, None]
        if design.gate:
            o_PxBxQxD = o_PxBxQxD * F.silu(self._at(parts["gate"], positions_PxBxQ))
        return _project(o_PxBxQxD, own["out"])

    def _names(self, layer: int) -> list[str]:
        prefix = f"{layer}."
        return [name.removeprefix(prefix) for name in self.shapes if name.startswith(prefix)]

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, parts: Parts, own: Parts, rows: mixers.Rows) -> Tensor:
        del parts
        scale: float | Tensor = self.design.d_key**-0.5
        if self.design.qk_norm == "l2":
            q, k = mixers.unit(q), mixers.unit(k)
            scale = own["temperature"].exp()[:, None].expand(-1, q.shape[0] // own["temperature"].numel(), -1)
            scale = scale.reshape(-1, 1, 1)
        if self.design.positions == "rotary":
            q, k = mixers.rotary(q), mixers.rotary(k)
        return mixers.attention(q * scale, k, v, rows)

    def _recur(self, q: Tensor, k: Tensor, v: Tensor, parts: Parts, own: Parts, rows: mixers.Rows) -> Tensor:
        design = self.design
        q, k = mixers.feature(q, design.feature), mixers.feature(k, design.feature)
        if design.qk_norm == "l2":
            q, k = mixers.unit(q), mixers.unit(k)
        beta = _to_heads(parts["beta"], design.heads).sigmoid() * design.beta if design.delta else None
        o_NxQxE = mixers.recurrent(q, k, v, self._log_decay(q, parts, own), beta, rows)
        # The state's size grows with what was written; its read-out is brought to unit scale (RetNet, 2307.08621).
        return mixers.rms(o_NxQxE)

    def _log_decay(self, q_NxTxK: Tensor, parts: Parts, own: Parts) -> Tensor | None:
        """Log decay in (-MAX_LOG_DECAY, 0), [N, T, 1 or K], or None."""
        if self.design.decay == "none":
            return None
        bias_Px1x1xC = own["decay_bias"][:, None, None]
        if self.design.decay == "constant":
            batch = q_NxTxK.shape[0] // own["decay_bias"].numel()
            raw = bias_Px1x1xC.expand(-1, batch, q_NxTxK.shape[1], -1)
        else:
            raw = parts["decay"] + bias_Px1x1xC
        return _to_heads(raw, self.design.heads).sigmoid() * -mixers.MAX_LOG_DECAY


def _draw(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Initial values: gains 1, decays 1/400 to 1/8 a step, temperature sqrt(32), matrices with variance 1 / inputs."""
    rng, kind = stream(seed, f"init/{name}"), name.split(".")[-1]
    if kind in ("norm", "out_norm"):
        return np.ones(shape, dtype=np.float32)
    if kind == "decay_bias":
        return rng.uniform(-6.0, -2.0, size=shape).astype(np.float32)
    if kind == "temperature":
        return np.full(shape, 0.5 * math.log(32.0), dtype=np.float32)
    scale = 1.0 if kind == "embed" else shape[0] ** -0.5
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)


def _look_up(table_PxVxC: Tensor, ids_PxBxT: Tensor) -> Tensor:
    """Rows of each member's own table, [P, B, T, C]."""
    members, words, _ = table_PxVxC.shape
    shifted = ids_PxBxT + torch.arange(members)[:, None, None] * words
    return F.embedding(shifted, table_PxVxC.flatten(0, 1))


def _project(x_PxBxTxD: Tensor, weight_PxDxC: Tensor) -> Tensor:
    """[P, B, T, C] = x times each member's own matrix."""
    return torch.unflatten(torch.bmm(x_PxBxTxD.flatten(1, 2), weight_PxDxC), 1, x_PxBxTxD.shape[1:3])


def _to_heads(x_PxBxTxC: Tensor, heads: int) -> Tensor:
    """[N, T, C / H]; a view when there is one head."""
    return torch.unflatten(x_PxBxTxC, 3, (heads, -1)).transpose(2, 3).flatten(0, 2)


def _from_heads(x_NxTxE: Tensor, members: int, heads: int) -> Tensor:
    """[P, B, T, D], the inverse of `_to_heads`."""
    return torch.unflatten(x_NxTxE, 0, (members, -1, heads)).transpose(2, 3).flatten(3)
