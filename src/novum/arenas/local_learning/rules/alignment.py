"""How well a rule's direction agrees with the gradient of the loss: an instrument, outside of the path of training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from novum.arenas.local_learning.rules.noise import Noise
from novum.arenas.local_learning.rules.rule import Rule

TINY = 1e-20


def gradients(rule: Rule, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Minus the gradient of the mean cross-entropy of what the rule says, for each hidden layer, by autograd."""
    hidden = rule.network.hidden
    with torch.enable_grad():
        for weights in hidden:
            weights.requires_grad_(True)
        logits = rule.logits(inputs)
        loss = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        total = loss.view(labels.shape).mean(1).sum()
        found = torch.autograd.grad(total, hidden, allow_unused=True)
        for weights in hidden:
            weights.requires_grad_(False)
    return [torch.zeros_like(w) if g is None else -g for w, g in zip(hidden, found, strict=True)]


def alignment(rule: Rule, inputs: Tensor, labels: Tensor, noise: Noise) -> list[list[float]]:
    """The cosine of direction and minus gradient of each member, for each hidden layer; 0 where either vanishes."""
    return cosines(rule.directions(inputs, labels, noise), gradients(rule, inputs, labels))


def cosines(directions: list[Tensor], downhill: list[Tensor]) -> list[list[float]]:
    """Of each member, for each of `downhill`, in double precision."""
    found = []
    for one, other in zip(directions, downhill, strict=False):
        first, second = one.double(), other.double()
        lengths = (first.square().sum((1, 2)) * second.square().sum((1, 2))).sqrt()
        found.append(((first * second).sum((1, 2)) / lengths.clamp_min(TINY)).tolist())
    return found
