"""Multilayer perceptrons of a population: weights, activities, and the derivative of a layer written by hand.

Sizes: P members, B examples, I inputs of a layer, O its outputs. Weights are [P, I + 1, O]; the last row is the bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from novum.arenas.local_learning.mnist1d import CLASSES
from novum.arenas.local_learning.space import Design
from novum.population.streams import stream

EPSILON = 1e-6
LABEL = 10
"""Inputs that a label takes, where it is one."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Activities of every hidden layer: what it reads, [P, B, I + 1], sums into its units and hands on, [P, B, O]."""

    read: list[Tensor]
    sums: list[Tensor]
    active: list[Tensor]
    """After the activation."""
    out: list[Tensor]
    """After normalisation."""


@dataclass(slots=True)
class Network:
    """Hidden layers and a readout of P members."""

    design: Design
    hidden: list[Tensor]
    readout: Tensor

    @classmethod
    def drawn(cls, design: Design, inputs: int, seeds: Sequence[int]) -> Network:
        """Gaussian weights of variance gain / inputs, gain 2 for relu; a network's own stream for each member."""
        sizes = [inputs + LABEL * design.labelled, *[design.width] * design.depth]
        gain = 2.0 if design.activation == "relu" else 1.0
        hidden = [drawn(seeds, f"hidden/{at}", sizes[at], sizes[at + 1], gain, bias=True) for at in range(design.depth)]
        readout = drawn(seeds, "readout", design.width * design.layers_read, CLASSES, 1.0, bias=True)
        return cls(design, hidden, readout)

    def forward(self, inputs: Tensor) -> Pass:
        """Inputs [P, B, I] through all hidden layers."""
        found = Pass([], [], [], [])
        below = inputs
        for weights in self.hidden:
            below = self.step(found, below, weights)
        return found

    def predicted(self, inputs: Tensor, states: Sequence[Tensor]) -> Pass:
        """What every hidden layer says when the layers below it have these states."""
        found = Pass([], [], [], [])
        for below, weights in zip((inputs, *states[:-1]), self.hidden, strict=True):
            self.step(found, below, weights)
        return found

    def step(self, into: Pass, below: Tensor, weights: Tensor, added: Tensor | None = None) -> Tensor:
        """One layer, written into a pass; `added` to the sums."""
        read = extended(below)
        sums = read @ weights if added is None else read @ weights + added
        active = self.activation(sums)
        out = active if self.design.normalise == "none" else active / _length(active)
        for held, value in zip((into.read, into.sums, into.active, into.out), (read, sums, active, out), strict=True):
            held.append(value)
        return out

    def activation(self, sums: Tensor) -> Tensor:
        """Of hidden units."""
        if self.design.activation == "tanh":
            return sums.tanh()
        return sums.relu() if self.design.activation == "relu" else (sums + 0.5).clamp(0.0, 1.0)

    def local(self, made: Pass, layer: int, error: Tensor) -> Tensor:
        """An error of what a layer hands on, as one of its sums: through its normalisation and activation."""
        active = made.active[layer]
        if self.design.normalise == "length":
            out = made.out[layer]
            error = (error - out * (error * out).mean(-1, keepdim=True)) / _length(active)
        return error * self.slope(made.sums[layer], active)

    def slope(self, sums: Tensor, active: Tensor) -> Tensor:
        """The derivative of the activation."""
        if self.design.activation == "tanh":
            return 1.0 - active.square()
        return ((sums > 0.0) if self.design.activation == "relu" else (sums.abs() < 0.5)).to(sums.dtype)

    def read_out(self, out: Sequence[Tensor]) -> Tensor:
        """Logits [P, B, 10] from what hidden layers hand on."""
        return self.seen(out) @ self.readout

    def seen(self, out: Sequence[Tensor]) -> Tensor:
        """What the readout reads."""
        return extended(torch.cat(list(out), -1) if self.design.readout == "all" else out[-1])


def drawn(seeds: Sequence[int], name: str, rows: int, columns: int, gain: float, *, bias: bool) -> Tensor:
    """Gaussian weights of variance gain / rows, [P, rows, columns]; with a further row of zeros for a bias."""
    each = [stream(seed, f"local-learning/{name}").standard_normal((rows, columns)) for seed in seeds]
    found = torch.from_numpy(np.stack(each).astype(np.float32)) * (gain / rows) ** 0.5
    return pad(found, (0, 0, 0, 1)) if bias else found


def extended(below: Tensor) -> Tensor:
    """With a one behind, for the bias."""
    return pad(below, (0, 1), value=1.0)


def product(read: Tensor, signal: Tensor) -> Tensor:
    """The change that a signal asks for: the mean over examples of what a layer reads times it, [P, I + 1, O]."""
    return read.mT @ signal / read.shape[1]


def missing(logits: Tensor, labels: Tensor) -> Tensor:
    """The error of the output: what the probabilities lack, [P, B, 10]; minus the gradient of the cross-entropy."""
    return one_hot(labels) - logits.softmax(-1)


def one_hot(labels: Tensor) -> Tensor:
    """Classes [P, B] as [P, B, 10]."""
    return _unit()[labels]


@lru_cache(maxsize=1)
def _unit() -> Tensor:
    return torch.eye(CLASSES, dtype=torch.float32)


def _length(active: Tensor) -> Tensor:
    return (active.square().mean(-1, keepdim=True) + EPSILON).sqrt()
