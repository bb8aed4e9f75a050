"""What goes on inside a population: sizes of activations and gradients, saturated gates, entropies, states.

Sampled on a few sequences every so many steps, so that it costs a few percent of the training.
"""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from novum.population.forms.softmax_form import SoftmaxForm
from novum.population.network import Network

PROBED = 4
"""Sequences that a sample looks at."""
SAMPLES = 16
"""Samples of a training."""
SATURATED = 0.02
"""A gate within this of 0 or 1 passes next to no gradient."""
GATES = ("beta", "decay", "forget", "input", "momentum", "rate", "gate")
DEAD = 1e-3
"""Activations smaller than this, in units of the stream's, are dead."""


@dataclass
class Instruments:
    """Watches a training: an observer for :func:`train`, which samples each member every `period` steps.

    `tokens` [P, B, T] and `positions` [P, B, Q] of the sequences that each member is looked at with.
    """

    network: Network
    tokens: Tensor
    positions: Tensor
    period: int
    series: dict[int, list[tuple[int, dict[str, float]]]] = field(default_factory=dict)
    """By the member's number: the step, and values by name."""

    def __call__(self, leaf_Pxn: Tensor, members: Sequence[int], steps: Sequence[int]) -> None:
        """A sample of everybody, when it is time for one of somebody."""
        due = [row for row, step in enumerate(steps) if step and step % self.period == 0]
        if not due:
            return
        rows = torch.tensor(list(members))
        found = sample(self.network, leaf_Pxn, self.tokens[rows], self.positions[rows])
        for row in due:
            values = {name: each[row] for name, each in found.items()}
            self.series.setdefault(members[row], []).append((steps[row], values))

    def last(self, member: int) -> dict[str, float]:
        """The latest sample of a member."""
        return self.series[member][-1][1] if member in self.series else {}


@torch.no_grad()
def sample(network: Network, leaf_Pxn: Tensor, tokens_PxBxT: Tensor, positions_PxBxQ: Tensor) -> dict[str, list[float]]:
    """Root mean squares of each layer's output and of the stream, shares of saturated gates, entropies of attention.

    Entropies are in nats, the mean over tokens, sequences and heads.
    """
    out: dict[str, list[float]] = {}

    def watch(name: str, x: Tensor) -> None:
        kind = name.rpartition(".")[2]
        if kind in GATES:
            gate = x.sigmoid()
            x = ((gate < SATURATED) | (gate > 1 - SATURATED)).float()
            out[f"saturated {name}"] = x.flatten(1).mean(1).tolist()
        elif kind == "entropy":
            out[f"attention {name}"] = x.flatten(1).mean(1).tolist()
        else:
            out[f"rms {name}"] = x.flatten(1).square().mean(1).sqrt().tolist()

    few = slice(0, PROBED)
    network.logits(leaf_Pxn, tokens_PxBxT[:, few], positions_PxBxQ[:, few], watch)
    return out


@torch.no_grad()
def states(network: Network, leaf_Pxn: Tensor, tokens_PxBxT: Tensor) -> dict[str, list[float]]:
    """Norm and effective rank of each matrix of state after a sequence; vectors and scalars of state are left out.

    Effective rank: the exponential of the entropy of the normalised singular values (Roy and Vetterli, 2007).
    """
    tokens = tokens_PxBxT[:, :PROBED]
    state = network.read(network.take_apart(leaf_Pxn), tokens)
    out: dict[str, list[float]] = {}
    for layer, (_, kept) in enumerate(state):
        if isinstance(network.forms[layer % len(network.forms)], SoftmaxForm) or not kept or kept[0].ndim != 3:
            continue
        matrix_PxNxKxE = torch.unflatten(kept[0], 0, (tokens.shape[0], -1))
        values = torch.linalg.svdvals(matrix_PxNxKxE.nan_to_num())
        share = values / values.sum(-1, keepdim=True).clamp_min(1e-12)
        rank = torch.special.entr(share).sum(-1).exp()
        out[f"state norm {layer}"] = values.square().sum(-1).sqrt().mean(1).tolist()
        out[f"state rank {layer}"] = rank.mean(1).tolist()
    return out


def dead_layers(values: Mapping[str, float]) -> list[str]:
    """Layers whose output is nothing beside the stream: their gates or writes have closed."""
    mixers = {name: size for name, size in values.items() if name.endswith(".mixer")}
    return [name.removeprefix("rms ") for name, size in mixers.items() if size < DEAD * values["rms stream"]]
