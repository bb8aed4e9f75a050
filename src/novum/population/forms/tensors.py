"""Shapes and small functions that all forms share.

Sizes: P members, B sequences, T tokens, Q wanted tokens, H heads, K key and E value channels per head, N = P·B·H.
`rows` names the wanted tokens by position, [P, B, Q] or per head [N, Q]; None stands for all of them.
"""

# ruff: noqa: N803 -- names of tensors end in their shapes
from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

Parts = Mapping[str, Tensor]
State = tuple[Tensor, ...]
Rows = Tensor | None


class Form(Protocol):
    """What computes a core: over whole sequences, and one token at a time with a state that says all of the past."""

    def mix(self, own: Parts, parts: Parts, rows: Rows) -> Tensor:
        """Outputs [P, B, Q, width] from the inputs by name [P, B, T, channels] and the core's own parameters."""
        ...

    def start(self, members: int, batch: int, like: Tensor) -> State:
        """The state before the first token, with the type and device of `like`."""
        ...

    def step(self, own: Parts, parts: Parts, state: State) -> tuple[Tensor, State]:
        """Output [P, B, width] of one token, given as [P, B, channels], and the state after it."""
        ...


def to_heads(x_PxBxTxC: Tensor, heads: int) -> Tensor:
    """[N, T, C / H]; a view when there is one head."""
    return torch.unflatten(x_PxBxTxC, 3, (heads, -1)).transpose(2, 3).flatten(0, 2)


def from_heads(x_NxTxE: Tensor, members: int, heads: int) -> Tensor:
    """[P, B, T, H·E], the inverse of `to_heads`."""
    return torch.unflatten(x_NxTxE, 0, (members, -1, heads)).transpose(2, 3).flatten(3)


def token_to_heads(x_PxBxC: Tensor, heads: int) -> Tensor:
    """[N, C / H] of one token."""
    return torch.unflatten(x_PxBxC, 2, (heads, -1)).flatten(0, 2)


def token_from_heads(x_NxE: Tensor, members: int, heads: int) -> Tensor:
    """[P, B, H·E], the inverse of `token_to_heads`."""
    return torch.unflatten(x_NxE, 0, (members, -1, heads)).flatten(2)


def per_head(own_PxC: Tensor, heads: int, batch: int) -> Tensor:
    """A parameter of each head, [N, C / H], the same for all sequences of a member."""
    return torch.unflatten(own_PxC, 1, (heads, -1))[:, None].expand(-1, batch, -1, -1).flatten(0, 2)


def rows_per_head(rows_PxBxQ: Rows, heads: int) -> Rows:
    """Wanted positions for [N, T, ...] tensors, [N, Q]."""
    return None if rows_PxBxQ is None else rows_PxBxQ[:, :, None].expand(-1, -1, heads, -1).flatten(0, 2)


def pick(x_NxTxC: Tensor, rows_NxQ: Rows) -> Tensor:
    """The wanted tokens of `x`: [N, Q, C]."""
    return x_NxTxC if rows_NxQ is None else x_NxTxC.gather(1, rows_NxQ[..., None].expand(-1, -1, x_NxTxC.shape[2]))


def pick_tokens(x_PxBxTxC: Tensor, rows_PxBxQ: Rows) -> Tensor:
    """The wanted tokens of `x`: [P, B, Q, C]."""
    if rows_PxBxQ is None:
        return x_PxBxTxC
    return x_PxBxTxC.gather(2, rows_PxBxQ[..., None].expand(-1, -1, -1, x_PxBxTxC.shape[3]))


def hidden(length: int, rows_NxQ: Rows, device: torch.device) -> Tensor:
    """True where a wanted token must not look: [1 or N, Q, T]."""
    steps = torch.arange(length, device=device)
    return steps > (steps[None] if rows_NxQ is None else rows_NxQ)[..., None]


def unit(x: Tensor) -> Tensor:
    """Rows of at most unit length; the small constant keeps zero rows, and their gradient, finite."""
    return x * (x.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def rms(x: Tensor) -> Tensor:
    """Rows divided by their root mean square (RMSNorm without gain, arXiv 1910.07467)."""
    return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()


def project(x_PxBxTxC: Tensor, matrix_PxCxD: Tensor) -> Tensor:
    """A matrix per member."""
    size = x_PxBxTxC.shape[2]
    return torch.unflatten(torch.bmm(x_PxBxTxC.flatten(1, 2), matrix_PxCxD), 1, (-1, size))


def turned(x: Tensor, angle: Tensor) -> Tensor:
    """Channel pairs (i, i + K/2) of the last axis rotated by their angles; an odd last channel stays."""
    half = angle.shape[-1]
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, x[..., 2 * half :]], dim=-1)
