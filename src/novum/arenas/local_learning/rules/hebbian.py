"""Hebbian principal components below a trained readout: the rules of Oja (1982, 1989) and Sanger (1989)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from novum.arenas.local_learning.rules.network import Network, missing, product
from novum.arenas.local_learning.rules.noise import Noise


@dataclass
class Hebbian:
    """W += x y^T - W U(y y^T), y = x W: U keeps the upper triangle (components in order), or all (their subspace).

    The sums y are taken without the bias, which stays zero; the activation comes afterwards.
    """

    network: Network

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        del noise
        network = self.network
        made = network.forward(inputs)
        hidden = [self._direction(made.read[at], weights) for at, weights in enumerate(network.hidden)]
        return [*hidden, product(network.seen(made.out), missing(network.read_out(made.out), labels))]

    def _direction(self, read: Tensor, weights: Tensor) -> Tensor:
        response = read[..., :-1] @ weights[:, :-1]
        together = product(response, response)
        kept = together.triu() if self.network.design.decorrelation == "sanger" else together
        change = product(read, response) - weights @ kept
        change[:, -1] = 0.0
        return change

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self.network.forward(inputs).out)
