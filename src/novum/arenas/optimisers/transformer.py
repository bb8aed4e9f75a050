"""A small transformer that predicts the next byte: no biases, lengths normalised without gains (P members)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from novum.arenas.optimisers.data import asked_text, text
from novum.arenas.optimisers.lessons import by_autograd, drawn
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.shapes import shapes
from novum.core.model.trial import Role
from novum.population.streams import stream

HEADS = 4
EPSILON = 1e-6
AT_ONCE = 64
"""Sequences that are predicted together."""


class BytesLesson:
    """Embedding and places, blocks of attention and a hidden layer, readout."""

    def __init__(self, options: Options, role: Role, seeds: Sequence[int]) -> None:
        self.text, self.batch, self.seeds = text(options, role), options.batch, seeds
        self.every = shapes(options, options.units(role))
        self.streams = [stream(seed, f"optimisers/sequences/{role}") for seed in seeds]
        self.asked = torch.from_numpy(np.stack([asked_text(options, role, seed)[0] for seed in seeds]))

    def first(self) -> list[Tensor]:
        """Embedding and places of variance 1 / 4, the products of variance 1 / rows, the readout at zero."""
        made = drawn(self.seeds, self.every)
        for at in range(2):
            made[at] = made[at] * (self.every[at][0] / 4) ** 0.5
        return [*made[:-1], torch.zeros_like(made[-1])]

    def gradients(self, weights: Sequence[Tensor], step: int) -> tuple[Sequence[Tensor], Tensor]:
        """Of the cross-entropy at all places of sequences drawn anew."""
        del step
        drawn_now = [self.text.batch(rng, self.batch) for rng in self.streams]
        tokens = torch.from_numpy(np.stack([one.tokens for one in drawn_now]))
        following = torch.from_numpy(np.stack([one.answers for one in drawn_now]))
        with torch.enable_grad():
            free = [each.requires_grad_() for each in weights]
            logits = logits_of(free, tokens)
            losses = cross_entropy(logits.permute(0, 3, 1, 2), following, reduction="none").mean((1, 2))
            return by_autograd(free, losses), losses.detach()

    def said(self, weights: Sequence[Tensor]) -> Tensor:
        """Logits after the last byte of each sequence."""
        pieces = [
            logits_of(weights, self.asked[:, at : at + AT_ONCE])[:, :, -1]
            for at in range(0, self.asked.shape[1], AT_ONCE)
        ]
        return torch.cat(pieces, 1)


def logits_of(weights: Sequence[Tensor], tokens: Tensor) -> Tensor:
    """Of sequences [P, B, T], [P, B, T, 256]."""
    members, rows, length = tokens.shape
    width = weights[0].shape[-1]
    where = tokens.reshape(members, -1, 1).expand(-1, -1, width)
    places = weights[1][:, :length].repeat(1, rows, 1)
    stream_now = weights[0].gather(1, where) + places
    for at in range(2, len(weights) - 1, 4):
        mixed = _attended(_normal(stream_now) @ weights[at], rows, length)
        stream_now = stream_now + mixed @ weights[at + 1]
        stream_now = stream_now + (_normal(stream_now) @ weights[at + 2]).relu().square() @ weights[at + 3]
    return (_normal(stream_now) @ weights[-1]).reshape(members, rows, length, -1)


def _attended(read: Tensor, rows: int, length: int) -> Tensor:
    """Causal attention of queries, keys and values that stand side by side, [P, B T, 3 D] to [P, B T, D]."""
    members = read.shape[0]
    parts = read.reshape(members * rows, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
    mixed = scaled_dot_product_attention(parts[0], parts[1], parts[2], is_causal=True)
    return mixed.transpose(1, 2).reshape(members, rows * length, -1)


def _normal(x: Tensor) -> Tensor:
    return x * (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
