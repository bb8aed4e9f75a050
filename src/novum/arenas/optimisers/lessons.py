"""What is trained: the networks of a population, their gradients, and what they say of held-out inputs.

Sizes: P members, B examples of a batch. Every parameter is [P, rows, columns]; a bias has one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from novum.arenas.local_learning.data import lesson, questions
from novum.arenas.optimisers.data import held_out_rows, order, picture_options, quadratic
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.shapes import Shape, shapes
from novum.core.model.trial import Role
from novum.population.streams import stream


class Lesson(Protocol):
    """A task for P members at once."""

    def first(self) -> list[Tensor]:
        """Parameters before training."""
        ...

    def gradients(self, weights: Sequence[Tensor], step: int) -> tuple[Sequence[Tensor], Tensor]:
        """Of each member's loss on its batch of this step, and the losses [P]."""
        ...

    def said(self, weights: Sequence[Tensor]) -> Tensor:
        """Of the held-out inputs, [P, rows, outputs]."""
        ...


def drawn(seeds: Sequence[int], every: Sequence[Shape]) -> list[Tensor]:
    """Gaussian weights of variance 1 / rows, each member's from its own stream; rows that stand alone are zero."""
    out = []
    for at, (rows, columns) in enumerate(every):
        if rows == 1:
            out.append(torch.zeros(len(seeds), 1, columns))
            continue
        each = [stream(seed, f"optimisers/weights/{at}").standard_normal((rows, columns)) for seed in seeds]
        out.append(single(np.stack(each)) * rows**-0.5)
    return out


def single(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
    """In single precision."""
    return torch.from_numpy(array.astype(np.float32))


def by_autograd(weights: Sequence[Tensor], losses: Tensor) -> Sequence[Tensor]:
    """Gradients of independent members: those of the sum of their losses."""
    return torch.autograd.grad(losses.sum(), weights)


class QuadraticLesson:
    """W [P, n, n] from zero; the gradient of a batch of rows by its formula."""

    def __init__(self, options: Options, role: Role, seeds: Sequence[int]) -> None:
        tasks = [quadratic(options, role, seed) for seed in seeds]
        self.inputs, self.truth, self.outputs = (
            single(np.stack([getattr(one, name) for one in tasks])) for name in ("inputs", "truth", "outputs")
        )
        self.asked = single(np.stack([held_out_rows(options, role, seed) for seed in seeds]))
        self.batch, self.size, self.noise = options.batch, options.units(role), options.noise
        self.streams = [stream(seed, f"optimisers/rows/{role}") for seed in seeds]

    def first(self) -> list[Tensor]:
        """Zero."""
        return [torch.zeros_like(self.truth)]

    def gradients(self, weights: Sequence[Tensor], step: int) -> tuple[Sequence[Tensor], Tensor]:
        """Rows and noise are drawn anew for each step."""
        del step
        fresh = single(np.stack([rng.standard_normal((2, self.batch, self.size)) for rng in self.streams]))
        rows = fresh[:, 0] @ self.inputs
        wrong = rows @ (weights[0] - self.truth) @ self.outputs + self.noise * fresh[:, 1]
        return [rows.mT @ wrong @ self.outputs.mT / self.batch], wrong.square().mean((1, 2))

    def said(self, weights: Sequence[Tensor]) -> Tensor:
        """The products."""
        return self.asked @ self.inputs @ weights[0] @ self.outputs


class PerceptronLesson:
    """Multilayer perceptrons with relu on MNIST-1D or digits."""

    def __init__(self, options: Options, role: Role, seeds: Sequence[int]) -> None:
        taken = picture_options(options)
        learned = [lesson(taken, role, seed) for seed in seeds]
        self.inputs = torch.from_numpy(np.stack([one.inputs for one in learned]))
        self.labels = torch.from_numpy(np.stack([one.labels for one in learned]))
        self.asked = torch.from_numpy(np.stack([questions(taken, role, seed) for seed in seeds]))
        rows = self.inputs.shape[1]
        self.order = torch.from_numpy(np.stack([order(options, seed, rows) for seed in seeds]))
        self.seeds, self.every, self.batch = seeds, shapes(options, options.units(role)), options.batch

    def first(self) -> list[Tensor]:
        """Variance 2 / rows for what goes through a relu, since half of it is lost (He et al. 2015)."""
        made = drawn(self.seeds, self.every)
        return [each * 2**0.5 if 0 < at < len(made) - 2 else each for at, each in enumerate(made)]

    def gradients(self, weights: Sequence[Tensor], step: int) -> tuple[Sequence[Tensor], Tensor]:
        """Of the cross-entropy."""
        rows = self.order[:, step * self.batch : (step + 1) * self.batch]
        members = torch.arange(len(rows))[:, None]
        with torch.enable_grad():
            free = [each.requires_grad_() for each in weights]
            logits = self._logits(free, self.inputs[members, rows])
            losses = cross_entropy(logits.mT, self.labels[members, rows], reduction="none").mean(1)
            return by_autograd(free, losses), losses.detach()

    def said(self, weights: Sequence[Tensor]) -> Tensor:
        """Logits."""
        return self._logits(weights, self.asked)

    def _logits(self, weights: Sequence[Tensor], inputs: Tensor) -> Tensor:
        below = inputs
        for at in range(0, len(weights) - 2, 2):
            below = torch.baddbmm(weights[at + 1], below, weights[at]).relu()
        return torch.baddbmm(weights[-1], below, weights[-2])
