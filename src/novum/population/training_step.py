"""One training step of a population as a pure function of tensors: it is compiled, or runs as it is."""

# ruff: noqa: N803, N806 -- names of tensors end in their shapes
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from novum.population.network import Network
from novum.population.recipe import Recipe

Losses = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Step = Callable[..., tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]


@dataclass(frozen=True)
class TrainingStep:
    """AdamW (Loshchilov and Hutter, arXiv 1711.05101) on a leaf [P, n]; nothing is shared between members but the code.

    Each operation is elementwise or reduces over one member's row, so a member that is not finite stays alone with it.
    """

    network: Network
    recipe: Recipe

    def __call__(
        self,
        leaf_Pxn: Tensor,
        mean_Pxn: Tensor,
        square_Pxn: Tensor,
        mask_n: Tensor,
        plan_Px4: Tensor,
        tokens_PxBxT: Tensor,
        positions_PxBxQ: Tensor,
        answers_PxBxQ: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Leaf, first and second moment after the step, losses [P] before it, and norms of the gradient [P].

        `plan_Px4`: each member's learning rate now, its weight decay, and 1 - beta^t of both moments; `mask_n`: 1 where
        weight decay acts.
        """
        with torch.enable_grad():
            leaf = leaf_Pxn.detach().requires_grad_()
            losses_P = self.network.losses(leaf, tokens_PxBxT, positions_PxBxQ, answers_PxBxQ)
            (grad_Pxn,) = torch.autograd.grad(losses_P.sum(), leaf)
        recipe = self.recipe
        norm_Px1 = grad_Pxn.square().sum(1, keepdim=True).sqrt()
        grad_Pxn = grad_Pxn * (recipe.clip / (norm_Px1 + 1e-6)).clamp(max=1.0)
        rate, decay, first, second = torch.split(plan_Px4, 1, dim=1)
        mean_Pxn = mean_Pxn * recipe.beta1 + grad_Pxn * (1 - recipe.beta1)
        square_Pxn = square_Pxn * recipe.beta2 + grad_Pxn.square() * (1 - recipe.beta2)
        root = (square_Pxn / second).sqrt() + recipe.epsilon
        new = leaf_Pxn * (1 - rate * decay * mask_n) - mean_Pxn / root * (rate / first)
        return new.detach(), mean_Pxn, square_Pxn, losses_P.detach(), norm_Px1[:, 0]
