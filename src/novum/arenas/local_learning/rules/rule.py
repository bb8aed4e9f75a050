"""What a learning rule is, and which one a design asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from novum.arenas.local_learning.rules.carried import Carried
from novum.arenas.local_learning.rules.feedback import feedback
from novum.arenas.local_learning.rules.goodness import Goodness
from novum.arenas.local_learning.rules.hebbian import Hebbian
from novum.arenas.local_learning.rules.hopfield import Hopfield
from novum.arenas.local_learning.rules.network import Network
from novum.arenas.local_learning.rules.noise import Noise
from novum.arenas.local_learning.rules.perturbation import NodePerturbation, WeightPerturbation
from novum.arenas.local_learning.rules.prediction import Prediction
from novum.arenas.local_learning.space import Design


class Rule(Protocol):
    """A rule says in which direction weights go; how far, the update says."""

    network: Network

    @property
    def learned(self) -> list[Tensor]:
        """All that learns: hidden weights in order, the readout, then whatever feedback learns."""
        ...

    def directions(self, inputs: Tensor, labels: Tensor, noise: Noise) -> list[Tensor]:
        """A direction for each of `learned`, along which the loss should fall. inputs [P, B, I], labels [P, B]."""
        ...

    def logits(self, inputs: Tensor) -> Tensor:
        """What is said of inputs, [P, B, 10]; differentiable, for instruments alone."""
        ...


def rule(design: Design, inputs: int, seeds: Sequence[int]) -> Rule:
    """The rule of a design with fresh weights, a member for each seed."""
    network = Network.drawn(design, inputs, seeds)
    if design.signal == "goodness":
        return Goodness(network)
    if design.signal == "hebbian":
        return Hebbian(network)
    if design.signal == "perturbation":
        return NodePerturbation(network) if design.noise == "nodes" else WeightPerturbation(network)
    carrier = feedback(network, seeds)
    if design.settling == "prediction":
        return Prediction(network, carrier)
    return Hopfield(network, carrier) if design.settling == "hopfield" else Carried(network, carrier)
