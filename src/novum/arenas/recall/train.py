"""Training a population: AdamW with a learning rate per member, and nothing shared between members but the code."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from novum.arenas.recall.data import HELD_OUT, TRAIN, sequences
from novum.arenas.recall.layout import EVAL_BATCHES
from novum.arenas.recall.model import Model
from novum.arenas.recall.options import Options

BETAS = (0.9, 0.95)
EPSILON = 1e-8
SEQUENCES_AT_ONCE = 1024


def batches(options: Options, seeds: Sequence[int], name: str, count: int, size: int) -> Iterator[tuple[Tensor, ...]]:
    """Tokens [P, B, T], positions and answers [P, B, Q] of `count` sequences in slices of `size`, in stream order.

    Member p reads the stream of seeds[p] and no other. The last slice may be shorter.
    """
    span = max(1, SEQUENCES_AT_ONCE // size) * size
    for start in range(0, count, span):
        stop = min(start + span, count)
        each = [sequences(options, seed, name, start, stop) for seed in seeds]
        fields = [np.stack([getattr(b, field) for b in each]) for field in ("tokens", "positions", "answers")]
        whole = [torch.from_numpy(field) for field in fields]
        yield from zip(*(torch.split(x, size, dim=1) for x in whole), strict=True)


def schedule(step: int, steps: int, warmup: float) -> float:
    """The factor on the learning rate at `step` of `steps`: linear over the part `warmup`, then cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


class AdamW:
    """AdamW (Loshchilov and Hutter, arXiv 1711.05101) on a leaf [P, n], learning rates [P, 1] and a clip per member.

    Each operation is elementwise or reduces over one member's row, so a member that is not finite stays alone with it.
    torch.optim has one learning rate per tensor and costs 1.3 s of imports.
    """

    def __init__(self, leaf_Pxn: Tensor, rates_Px1: Tensor, weight_decay: float, clip: float) -> None:
        self.leaf, self.rates = leaf_Pxn, rates_Px1
        self.weight_decay, self.clip = weight_decay, clip
        self.mean, self.square = torch.zeros_like(leaf_Pxn), torch.zeros_like(leaf_Pxn)
        self.step_number = 0

    @torch.no_grad()
    def step(self, grad_Pxn: Tensor, factor: float) -> None:
        """One update with the learning rates times `factor`; `grad_Pxn` is overwritten."""
        self.step_number += 1
        grad_Pxn.mul_((self.clip / (grad_Pxn.norm(dim=1, keepdim=True) + 1e-6)).clamp_(max=1.0))
        self.mean.lerp_(grad_Pxn, 1 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(grad_Pxn, grad_Pxn, value=1 - BETAS[1])
        root = (self.square / (1 - BETAS[1] ** self.step_number)).sqrt_().add_(EPSILON)
        rates = self.rates * factor
        self.leaf.mul_(1 - rates * self.weight_decay)
        self.leaf.sub_(self.mean / root * (rates / (1 - BETAS[0] ** self.step_number)))


def train(model: Model, seeds: Sequence[int], rates: Sequence[float], steps: int) -> tuple[Tensor, Tensor]:
    """Trained parameters [P, n] and the losses of every step [steps, P]."""
    options = model.options
    leaf_Pxn = model.initial(seeds).requires_grad_()
    optimizer = AdamW(leaf_Pxn, torch.tensor(rates)[:, None], options.weight_decay, options.clip)
    history = []
    for step, batch in enumerate(batches(options, seeds, TRAIN, steps * options.batch, options.batch)):
        losses_P = model.lost_trials(leaf_Pxn, *batch)
        (grad_Pxn,) = torch.autograd.grad(losses_P.sum(), leaf_Pxn)
        optimizer.step(grad_Pxn, schedule(step, steps, options.warmup))
        history.append(losses_P.detach())
    return leaf_Pxn.detach(), torch.stack(history)


@torch.no_grad()
def predict(model: Model, leaf_Pxn: Tensor, seeds: Sequence[int]) -> Tensor:
    """The most likely token at each query of the held-out stream, [P, sequences, Q]."""
    options = model.options
    parts = batches(options, seeds, HELD_OUT, options.held_out, EVAL_BATCHES * options.batch)
    return torch.cat([model.logits(leaf_Pxn, tokens, where).argmax(-1) for tokens, where, _ in parts], dim=1)
