"""Predictive coding: activities settle under prediction errors, then weights learn from what is left of them.

Energy: sum_l |z_l - f(z_{l-1} W_l)|^2 / 2 + nudge * cross-entropy(z_L W_out). As in pcx (arXiv 2407.01163) with
positive or centred nudging; with predictions held at the forward pass it is backpropagation once errors have settled
(Millidge, Tschantz and Buckley, arXiv 2006.04182).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from novum.arenas.local_learning.rules.feedback import Above, Feedback
from novum.arenas.local_learning.rules.network import Network, Pass, missing, product
from novum.arenas.local_learning.rules.noise import Noise


@dataclass(frozen=True, slots=True)
class Settled:
    """Errors of the hidden layers as signals at their sums, the pass that they belong to, and the output's error."""

    signals: list[Tensor]
    made: Pass
    output_error: Tensor
    """Without the nudge."""
    residual: Tensor
    """Root mean square of what is still to change in the activities, [P]."""


@dataclass
class Prediction:
    """z_l += step_size * (what feedback says of errors above - e_l), `steps` times; W goes along e_l f' x^T / nudge."""

    network: Network
    feedback: Feedback

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout, *self.feedback.learned]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        design = self.network.design
        first = self.network.forward(inputs)
        signs = (1.0, -1.0) if design.antithetic else (1.0,)
        found = [self._directions(self.settle(inputs, labels, first, sign * design.nudge), sign) for sign in signs]
        forward = [torch.stack(each).mean(0) for each in zip(*found, strict=True)]
        learned = self.feedback.directions(first, forward, noise)
        return [*forward, *learned]

    def _directions(self, settled: Settled, sign: float) -> list[Tensor]:
        scale = sign * self.network.design.nudge
        hidden = [product(x, d / scale) for x, d in zip(settled.made.read, settled.signals, strict=True)]
        return [*hidden, product(self.network.seen(settled.made.out), settled.output_error)]

    def settle(self, inputs: Tensor, labels: Tensor, first: Pass, nudge: float) -> Settled:
        """Relax the activities from those of the forward pass. The pass of the result reads relaxed activities."""
        network, design = self.network, self.network.design
        fixed = design.predictions == "fixed"
        states, made = list(first.out), first
        signals, output_error, change = self._errors(made, states, labels, nudge, first if fixed else None)
        for _ in range(design.steps):
            states = [z + design.step_size * by for z, by in zip(states, change, strict=True)]
            made = first if fixed else network.predicted(inputs, states)
            signals, output_error, change = self._errors(made, states, labels, nudge, first if fixed else None)
        residual = torch.stack([each.square().mean((1, 2)) for each in change]).mean(0)
        last = made.out if fixed else [*made.out[:-1], states[-1]]
        return Settled(signals, Pass(made.read, made.sums, made.active, last), output_error, residual.sqrt())

    def _errors(
        self, made: Pass, states: list[Tensor], labels: Tensor, nudge: float, first: Pass | None
    ) -> tuple[list[Tensor], Tensor, list[Tensor]]:
        """Signals at the sums, the output's error, and how the activities want to change."""
        network = self.network
        top = states if first is None else first.out
        output_error = missing(network.read_out(top), labels)
        errors = [z - said for z, said in zip(states, made.out, strict=True)]
        signals = [network.local(made, layer, error) for layer, error in enumerate(errors)]
        aboves = [Above(d, e, out, nudge * output_error) for d, e, out in zip(signals, errors, made.out, strict=True)]
        aboves = [*aboves[1:], Above(nudge * output_error, None, None, nudge * output_error)]
        change = [
            self.feedback.down(at, above) - error for at, (above, error) in enumerate(zip(aboves, errors, strict=True))
        ]
        return signals, output_error, change

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self.network.forward(inputs).out)
