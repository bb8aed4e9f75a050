"""How an error gets down to a hidden layer: transposed, random, direct or mirrored weights, or learned inverses.

Every form is called the same way, so that relaxations and single passes take any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from novum.arenas.local_learning.mnist1d import CLASSES
from novum.arenas.local_learning.rules.network import Network, Pass, drawn, extended, product
from novum.arenas.local_learning.rules.noise import Noise

DECAY = 0.01
"""Of mirrored weights and those that they mirror, per unit of learning rate."""
CORRUPTION = 0.1
"""Sd of the noise from which inverses learn to come back (arXiv 1412.7525, section 2.3)."""


@dataclass(frozen=True, slots=True)
class Above:
    """What there is above a hidden layer."""

    signal: Tensor
    """At the sums of the next layer."""
    error: Tensor | None
    """Of what the next layer hands on; None where that is the output."""
    out: Tensor | None
    """What the next layer hands on without the error."""
    output_error: Tensor


class Feedback(Protocol):
    """A way down."""

    @property
    def learned(self) -> list[Tensor]:
        """Its weights that learn."""
        ...

    def down(self, layer: int, above: Above) -> Tensor:
        """The error of what hidden layer `layer` hands on, [P, B, O]."""
        ...

    def states_down(self, layer: int, above: Tensor) -> Tensor:
        """What states of the next layer, or the error of the output, add to the sums of a hidden layer, [P, B, O]."""
        ...

    def directions(self, made: Pass, forward: list[Tensor], noise: Noise) -> list[Tensor]:
        """A direction for each of `learned`; `forward`: those of the forward weights, which decay may change."""
        ...


@dataclass
class Transposed:
    """The weights themselves, backwards: what backpropagation needs and synapses do not have."""

    network: Network
    learned: list[Tensor] = field(default_factory=list)

    def down(self, layer: int, above: Above) -> Tensor:
        return self.states_down(layer, above.signal)

    def states_down(self, layer: int, above: Tensor) -> Tensor:
        return above @ forward_weights(self.network, layer).mT

    def directions(self, made: Pass, forward: list[Tensor], noise: Noise) -> list[Tensor]:
        del made, forward, noise
        return []


class Random(Transposed):
    """Feedback alignment (arXiv 1411.0247): fixed random weights."""

    def __init__(self, network: Network, seeds: Sequence[int]) -> None:
        super().__init__(network)
        shapes = [forward_weights(network, layer).shape for layer in range(network.design.depth)]
        self.weights = [
            drawn(seeds, f"feedback/{layer}", rows, columns, rows / columns, bias=False)
            for layer, (_, rows, columns) in enumerate(shapes)
        ]

    def states_down(self, layer: int, above: Tensor) -> Tensor:
        return above @ self.weights[layer].mT


class SignSymmetric(Random):
    """Random sizes with the signs of the forward weights (arXiv 1510.05067)."""

    def states_down(self, layer: int, above: Tensor) -> Tensor:
        signs = forward_weights(self.network, layer).sign()
        return above @ (signs * self.weights[layer].abs()).mT


class Mirrored(Random):
    """Kolen-Pollack (arXiv 1904.05391): both ways learn by the same product and decay, so that they become alike."""

    def __init__(self, network: Network, seeds: Sequence[int]) -> None:
        super().__init__(network, seeds)
        self.learned = self.weights

    def directions(self, made: Pass, forward: list[Tensor], noise: Noise) -> list[Tensor]:
        del made, noise
        mirrored = []
        for layer, back in enumerate(self.weights):
            weights = self.network.hidden[layer + 1] if layer + 1 < len(self.network.hidden) else self.network.readout
            mirrored.append(forward[layer + 1][:, :-1] - DECAY * back)
            forward[layer + 1] = forward[layer + 1] - DECAY * weights
        return mirrored


class Direct(Transposed):
    """Direct feedback alignment (arXiv 1609.01596): every hidden layer gets the error of the output."""

    def __init__(self, network: Network, seeds: Sequence[int]) -> None:
        super().__init__(network)
        design = network.design
        self.weights = [
            drawn(seeds, f"feedback/{layer}", design.width, CLASSES, design.width / CLASSES, bias=False)
            for layer in range(design.depth)
        ]

    def down(self, layer: int, above: Above) -> Tensor:
        return above.output_error @ self.weights[layer].mT

    def states_down(self, layer: int, above: Tensor) -> Tensor:
        return above @ self.weights[layer].mT


class Inverse(Transposed):
    """Difference target propagation (arXiv 1412.7525): targets of a layer by a learned inverse of the next one.

    The last hidden layer gets its target by the gradient of its own readout, as in the paper. Inverses are
    g(z) = f(z V) with the activation of the network.
    """

    def __init__(self, network: Network, seeds: Sequence[int]) -> None:
        super().__init__(network)
        width = network.design.width
        self.learned = [
            drawn(seeds, f"inverse/{layer}", width, width, 1.0, bias=True) for layer in range(network.design.depth - 1)
        ]

    def down(self, layer: int, above: Above) -> Tensor:
        if above.error is None or above.out is None:
            return super().down(layer, above)
        back, activation = self.learned[layer], self.network.activation
        target = activation(extended(above.out + above.error) @ back)
        return target - activation(extended(above.out) @ back)

    def directions(self, made: Pass, forward: list[Tensor], noise: Noise) -> list[Tensor]:
        """Minus the gradient of |g(f(z + n)) - (z + n)|^2 / 2, for each inverse by itself."""
        del forward
        found = []
        for layer, back in enumerate(self.learned):
            start = made.out[layer] + CORRUPTION * noise.normal(*made.out[layer].shape[1:])
            there = Pass([], [], [], [])
            out = extended(self.network.step(there, start, self.network.hidden[layer + 1]))
            sums = out @ back
            again = self.network.activation(sums)
            found.append(product(out, (start - again) * self.network.slope(sums, again)))
        return found


def forward_weights(network: Network, layer: int) -> Tensor:
    """The weights that read a hidden layer, without their bias, [P, rows, columns]."""
    weights = network.hidden[layer + 1] if layer + 1 < len(network.hidden) else network.readout
    return weights[:, :-1]


def feedback(network: Network, seeds: Sequence[int]) -> Feedback:
    """The way down that a design asks for."""
    design = network.design
    if design.signal == "transpose":
        return Transposed(network)
    if design.signal == "direct":
        return Direct(network, seeds)
    if design.signal == "inverse":
        return Inverse(network, seeds)
    kinds = {"fixed": Random, "sign": SignSymmetric, "mirrored": Mirrored}
    return kinds[design.feedback](network, seeds)
