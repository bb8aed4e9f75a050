"""Errors carried down in a single pass: feedback alignment, direct feedback, target propagation, backpropagation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from novum.arenas.local_learning.rules.feedback import Above, Feedback
from novum.arenas.local_learning.rules.network import Network, missing, product
from novum.arenas.local_learning.rules.noise import Noise


@dataclass
class Carried:
    """d_l = f'(a_l) * (what feedback says of the layers above); then the weights go along d_l x^T.

    Targets are taken `nudge` of an error away and what they ask for is divided by it, which other forms do not feel.
    """

    network: Network
    feedback: Feedback

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout, *self.feedback.learned]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        network, nudge = self.network, self.network.design.nudge
        made = network.forward(inputs)
        output_error = missing(network.read_out(made.out), labels)
        above = Above(nudge * output_error, None, None, nudge * output_error)
        hidden = []
        for layer in reversed(range(network.design.depth)):
            error = self.feedback.down(layer, above)
            signal = network.local(made, layer, error)
            hidden.append(product(made.read[layer], signal / nudge))
            above = Above(signal, error, made.out[layer], above.output_error)
        forward = [*reversed(hidden), product(network.seen(made.out), output_error)]
        learned = self.feedback.directions(made, forward, noise)
        return [*forward, *learned]

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self.network.forward(inputs).out)
