"""Forward-forward (Hinton, arXiv 2212.13345): each layer tells inputs with their own label from those with another one.

The label is a part of the input. Goodness of a layer is the mean square of its activities; its loss is logistic, in
units of one a unit so that its gradient does not shrink with the width: against a threshold of 1, or, as in SymBa (Lee
and Song, arXiv 2303.08418), against the goodness of the other pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from novum.arenas.local_learning.mnist1d import CLASSES
from novum.arenas.local_learning.rules.network import LABEL, Network, Pass, missing, one_hot, product
from novum.arenas.local_learning.rules.noise import Noise

THRESHOLD = 1.0


@dataclass
class Goodness:
    """Weights go along the gradient of the goodness of right labels and against that of wrong ones, layer by layer."""

    network: Network

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        network = self.network
        wrong = (labels + 1 + noise.integers(CLASSES - 1, labels.shape[1])) % CLASSES
        good = network.forward(torch.cat([inputs, one_hot(labels)], -1))
        bad = network.forward(torch.cat([inputs, one_hot(wrong)], -1))
        hidden = [self._direction(good, bad, layer) for layer in range(network.design.depth)]
        if network.design.readout == "own":
            return [*hidden, torch.zeros_like(network.readout)]
        neutral = network.forward(_neutral(inputs)).out
        return [*hidden, product(network.seen(neutral), missing(network.read_out(neutral), labels))]

    def _direction(self, good: Pass, bad: Pass, layer: int) -> Tensor:
        one, other = self._goodness(good, layer), self._goodness(bad, layer)
        if self.network.design.contrast == "pair":
            up = down = torch.sigmoid(other - one)
        else:
            up, down = torch.sigmoid(THRESHOLD - one), torch.sigmoid(other - THRESHOLD)
        return self._product(good, layer, up) - self._product(bad, layer, down)

    def _product(self, made: Pass, layer: int, weight: Tensor) -> Tensor:
        active = made.active[layer]
        slope = self.network.slope(made.sums[layer], active)
        return product(made.read[layer], 2.0 * weight[..., None] * active * slope)

    def _goodness(self, made: Pass, layer: int) -> Tensor:
        return made.active[layer].square().mean(-1)

    def logits(self, inputs: Tensor) -> Tensor:
        """The readout, or the goodness of every label, summed over all layers but the first where there are several."""
        if self.network.design.readout != "own":
            return self.network.read_out(self.network.forward(_neutral(inputs)).out)
        members, rows = inputs.shape[:2]
        labels = torch.arange(CLASSES).repeat(rows).expand(members, -1)
        made = self.network.forward(torch.cat([inputs.repeat_interleave(CLASSES, 1), one_hot(labels)], -1))
        depth = self.network.design.depth
        each = [self._goodness(made, layer) for layer in range(min(1, depth - 1), depth)]
        return torch.stack(each).sum(0).view(members, rows, CLASSES)


def _neutral(inputs: Tensor) -> Tensor:
    """Inputs with every label a tenth."""
    return pad(inputs, (0, LABEL), value=1.0 / CLASSES)
