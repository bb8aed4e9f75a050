"""Learning from the effect of noise on the loss: node perturbation, and evolution strategies with noise of low rank.

Directions are estimates of minus the gradient of the loss smoothed by the noise, from forward passes alone. Sizes: N
draws, which are further examples to the products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from novum.arenas.local_learning.rules.network import Network, Pass, extended, missing, product
from novum.arenas.local_learning.rules.noise import Noise


@dataclass
class NodePerturbation:
    """Noise on the sums of all units at once, and on the logits where the readout learns by it as well.

    d_l = -(change of an example's loss) n_l / sd, the mean over draws; then along d_l x^T with what the layer read
    without noise (Werfel, Xie and Seung, Neural Computation 2005).
    """

    network: Network

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        network, design = self.network, self.network.design
        draws, rows = design.draws, inputs.shape[1]
        made = network.forward(inputs)
        logits = network.read_out(made.out)
        many, told = inputs.repeat(1, draws, 1), labels.repeat(1, draws)
        shifts = [noise.normal(draws * rows, made.sums[0].shape[-1]) for _ in network.hidden]
        at_logits = noise.normal(draws * rows, logits.shape[-1]) if design.readout == "own" else None
        above = self._losses(many, told, shifts, at_logits, design.nudge)
        if design.antithetic:
            change = (above - self._losses(many, told, shifts, at_logits, -design.nudge)) / 2.0
        else:
            change = above - _losses(logits, labels).repeat(1, draws)
        weight = -change[..., None] / design.nudge
        signals = [_mean(weight * each, draws) for each in shifts]
        hidden = [product(read, signal) for read, signal in zip(made.read, signals, strict=True)]
        top = missing(logits, labels) if at_logits is None else _mean(weight * at_logits, draws)
        return [*hidden, product(network.seen(made.out), top)]

    def _losses(
        self, inputs: Tensor, labels: Tensor, shifts: list[Tensor], at_logits: Tensor | None, size: float
    ) -> Tensor:
        found, below = Pass([], [], [], []), inputs
        for weights, shift in zip(self.network.hidden, shifts, strict=True):
            below = self.network.step(found, below, weights, size * shift)
        logits = self.network.read_out(found.out)
        return _losses(logits if at_logits is None else logits + size * at_logits, labels)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self.network.forward(inputs).out)


@dataclass(frozen=True, slots=True)
class Shift:
    """Noise E on a matrix of weights for each draw: A B^T / sqrt r, A `left` [P, N, I + 1, r], B `right` [P, N, O, r].

    Without `right` it is `left` [P, N, I + 1, O] itself.
    """

    left: Tensor
    right: Tensor | None

    def applied(self, read: Tensor) -> Tensor:
        """What is read [P, N, B, I + 1] times the noise, [P, N, B, O]."""
        if self.right is None:
            return read @ self.left
        out: Tensor = read @ self.left @ self.right.mT
        return out / math.sqrt(self.right.shape[-1])

    def weighted(self, by: Tensor) -> Tensor:
        """The mean over draws of the noise times `by` [P, N], [P, I + 1, O]."""
        draws = by.shape[1]
        left = self.left * by[..., None, None] / draws
        if self.right is None:
            return left.sum(1)
        members, _, rows, rank = left.shape
        tall = left.permute(0, 2, 1, 3).reshape(members, rows, draws * rank)
        wide = self.right.permute(0, 1, 3, 2).reshape(members, draws * rank, -1)
        return tall @ wide / math.sqrt(rank)


@dataclass
class WeightPerturbation:
    """EGGROLL (arXiv 2511.16652): an evolution strategy whose noise on each weight matrix has a low rank.

    Every draw is judged by the loss of the whole batch; the direction is -(change of the loss) E / sd, the mean over
    draws. Rank 0: noise of full rank, as in OpenAI's evolution strategy (arXiv 1703.03864).
    """

    network: Network

    @property
    def learned(self) -> list[Tensor]:
        return [*self.network.hidden, self.network.readout]

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        network, design = self.network, self.network.design
        matrices = [*network.hidden, network.readout] if design.readout == "own" else network.hidden
        shifts = [self._drawn(weights, noise) for weights in matrices]
        above, made = self._losses(inputs, labels, shifts, design.nudge), None
        if design.antithetic:
            change = (above - self._losses(inputs, labels, shifts, -design.nudge)) / 2.0
        else:
            made = network.forward(inputs)
            change = above - _losses(network.read_out(made.out), labels).mean(1, keepdim=True)
        found = [shift.weighted(-change / design.nudge) for shift in shifts]
        if design.readout == "own":
            return found
        made = made or network.forward(inputs)
        return [*found, product(network.seen(made.out), missing(network.read_out(made.out), labels))]

    def _drawn(self, weights: Tensor, noise: Noise) -> Shift:
        _, rows, columns = weights.shape
        draws, rank = self.network.design.draws, self.network.design.rank
        if rank == 0:
            return Shift(noise.normal(draws, rows, columns), None)
        return Shift(noise.normal(draws, rows, rank), noise.normal(draws, columns, rank))

    def _losses(self, inputs: Tensor, labels: Tensor, shifts: list[Shift], size: float) -> Tensor:
        """Of the batch under each draw, [P, N]."""
        network, draws = self.network, self.network.design.draws
        found, below = Pass([], [], [], []), inputs.repeat(1, draws, 1)
        for weights, shift in zip(network.hidden, shifts, strict=False):
            below = network.step(found, below, weights, size * self._apart(below, shift))
        logits = network.read_out(found.out)
        if network.design.readout == "own":
            logits = logits + size * self._apart(below, shifts[-1])
        return _losses(logits, labels.repeat(1, draws)).view(len(logits), draws, -1).mean(-1)

    def _apart(self, below: Tensor, shift: Shift) -> Tensor:
        read = extended(below).view(len(below), self.network.design.draws, -1, below.shape[-1] + 1)
        return shift.applied(read).flatten(1, 2)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.network.read_out(self.network.forward(inputs).out)


def _mean(signals: Tensor, draws: int) -> Tensor:
    """Over draws, [P, B, O]."""
    members, rows, units = signals.shape
    return signals.view(members, draws, rows // draws, units).mean(1)


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each example in nats, [P, B]."""
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
