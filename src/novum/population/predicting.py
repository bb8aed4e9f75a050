"""What trained members say about sequences that they were not trained on."""

# ruff: noqa: N803 -- names of tensors end in their shapes
from __future__ import annotations

import torch
from torch import Tensor

from novum.population.network import Network


@torch.no_grad()
def predict(
    network: Network, leaf_Pxn: Tensor, tokens_PxBxT: Tensor, positions_PxBxQ: Tensor, size: int
) -> list[Tensor]:
    """Log-probabilities [P, size, Q, outputs] of each slice of `size` sequences in turn."""
    slices = zip(torch.split(tokens_PxBxT, size, 1), torch.split(positions_PxBxQ, size, 1), strict=True)
    return [network.logits(leaf_Pxn, tokens, where).log_softmax(-1) for tokens, where in slices]
