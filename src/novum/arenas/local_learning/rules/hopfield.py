"""Equilibrium propagation (Scellier and Bengio, arXiv 1602.05179): two relaxations, and the difference of two products.

States follow s_l += step_size * (f(s_{l-1} W_l + what comes down) - s_l). The readout is softmax outside of the
relaxing part, whose error times `nudge` reaches the last hidden layer, and both signs of the nudge may be used
(Laborieux et al., arXiv 2006.03824). With other than transposed feedback: vector fields without an energy
(Scellier et al., arXiv 1808.04873).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from novum.arenas.local_learning.rules.feedback import Direct, Feedback
from novum.arenas.local_learning.rules.network import Network, Pass, extended, missing, product
from novum.arenas.local_learning.rules.noise import Noise


@dataclass
class Hopfield:
    """(s_l x^T nudged - s_l x^T free) / nudge for hidden weights, the delta rule for the readout."""

    network: Network
    feedback: Feedback

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout, *self.feedback.learned]

    @property
    def nudged_steps(self) -> int:
        """Half as many as free ones: the nudged phase begins where the free one ended."""
        return self.network.design.steps // 2

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        network, design = self.network, self.network.design
        free = self._free(inputs)
        pushed = self._relaxed(inputs, free, self.nudged_steps, labels, design.nudge)
        other = self._relaxed(inputs, free, self.nudged_steps, labels, -design.nudge) if design.antithetic else free
        apart = design.nudge * (2.0 if design.antithetic else 1.0)
        after, before = self._products(inputs, pushed), self._products(inputs, other)
        hidden = [(one - another) / apart for one, another in zip(after, before, strict=True)]
        forward = [*hidden, product(network.seen(free), missing(network.read_out(free), labels))]
        learned = self.feedback.directions(Pass([], [], [], free), forward, noise)
        return [*forward, *learned]

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self._free(inputs))

    def _free(self, inputs: Tensor) -> list[Tensor]:
        zero = inputs.new_zeros((*inputs.shape[:2], self.network.design.width))
        return self._relaxed(inputs, [zero] * self.network.design.depth, self.network.design.steps, None, 0.0)

    def _products(self, inputs: Tensor, states: list[Tensor]) -> list[Tensor]:
        return [product(extended(below), state) for below, state in zip((inputs, *states[:-1]), states, strict=True)]

    def _relaxed(
        self, inputs: Tensor, states: list[Tensor], steps: int, labels: Tensor | None, nudge: float
    ) -> list[Tensor]:
        """States after `steps` more steps; without labels the output pushes nothing."""
        network, size = self.network, self.network.design.step_size
        lowest = extended(inputs) @ network.hidden[0]
        for _ in range(steps):
            push = None if labels is None else nudge * missing(network.read_out(states), labels)
            moved = []
            for layer, state in enumerate(states):
                sums = lowest if layer == 0 else extended(states[layer - 1]) @ network.hidden[layer]
                down = self._down(layer, states, push)
                target = network.activation(sums if down is None else sums + down)
                moved.append(torch.lerp(state, target, size))
            states = moved
        return states

    def _down(self, layer: int, states: list[Tensor], push: Tensor | None) -> Tensor | None:
        if layer + 1 < len(states) and not isinstance(self.feedback, Direct):
            return self.feedback.states_down(layer, states[layer + 1])
        return None if push is None else self.feedback.states_down(layer, push)
