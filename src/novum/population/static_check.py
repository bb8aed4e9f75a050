"""What is checked of a network before it is trained: that it looks only back, and has the size that it declares."""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import torch

from novum.population.network import Network, state_size

LENGTH = 24
TOLERANCE = 1e-4


@torch.no_grad()
def broken_promise(network: Network) -> str:
    """What is wrong with the network, in words; empty when nothing is.

    Tokens behind a place are exchanged, and its output must stay; the parameters must be as many as the stack's, and a
    decoding step must keep as much state as it declares.
    """
    stack = network.stack
    leaf = torch.from_numpy(stack.layout.initial([0]))
    if leaf.shape[1] != stack.parameters:
        return f"it has {leaf.shape[1]} parameters and declares {stack.parameters}"
    rng = torch.Generator().manual_seed(0)
    tokens_2xT = torch.randint(0, stack.vocabulary, (2, LENGTH), generator=rng)
    half = LENGTH // 2
    tokens_2xT[1, :half] = tokens_2xT[0, :half]
    positions = torch.arange(LENGTH).expand(1, 2, LENGTH)
    if not stack.slots:
        logits = network.logits(leaf, tokens_2xT[None], positions)[0, :, :half]
        scale = float(logits.abs().max()) + 1e-9
        if float((logits[0] - logits[1]).abs().max()) > TOLERANCE * scale:
            return "its outputs depend on tokens that come later"
    return _state(network, leaf, tokens_2xT[None])


def _state(network: Network, leaf: torch.Tensor, tokens: torch.Tensor) -> str:
    floats = state_size(network.read(network.take_apart(leaf), tokens)) // tokens.shape[1]
    declared = network.stack.state_floats(LENGTH)
    return f"it keeps {floats} floats of state and declares {declared}" if floats > declared else ""
