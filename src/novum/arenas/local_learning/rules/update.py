"""What is made of a rule's direction: plain, momentum, its sign, or Adam; one learning rate a member."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

CLIP = 1.0
"""Longest direction of a member, over all its weights."""
MOMENTUM, SQUARES, EPSILON = 0.9, 0.99, 1e-8
SCALE = {"plain": 1.0, "momentum": 1.0, "sign": 0.01, "adam": 0.03}
"""Factors on the learning rate, so that one sweep of it suits every update."""


class Update:
    """Moves weights in place along directions."""

    def __init__(self, kind: str, learned: Sequence[Tensor]) -> None:
        self.kind, self.learned, self.step = kind, learned, 0
        self.mean = [torch.zeros_like(each) for each in learned]
        self.square = [torch.zeros_like(each) for each in learned] if kind == "adam" else []

    def __call__(self, directions: Sequence[Tensor], rates: Tensor) -> None:
        """One step. rates: of each member, [P]."""
        self.step += 1
        directions = clipped(directions)
        size = (rates * SCALE[self.kind])[:, None, None]
        for at, (weights, direction) in enumerate(zip(self.learned, directions, strict=True)):
            weights.add_(size * self._made(at, direction))

    def _made(self, at: int, direction: Tensor) -> Tensor:
        if self.kind == "plain":
            return direction
        mean = self.mean[at].lerp_(direction, 1 - MOMENTUM)
        if self.kind == "momentum":
            return mean
        if self.kind == "sign":
            return mean.sign()
        square = self.square[at].lerp_(direction.square(), 1 - SQUARES)
        first, second = 1 - MOMENTUM**self.step, 1 - SQUARES**self.step
        return (mean / first) / ((square / second).sqrt() + EPSILON)


def clipped(directions: Sequence[Tensor]) -> list[Tensor]:
    """Directions of each member shortened to the length `CLIP` together."""
    squares = torch.stack([each.square().sum((1, 2)) for each in directions]).sum(0)
    factor = (CLIP / squares.sqrt().clamp_min(EPSILON)).clamp_max(1.0)[:, None, None]
    return [each * factor for each in directions]
