"""What is learned beforehand: many members at once, each with its own seed, rates and tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from novum.arenas.adaptation.network import Form, Tasks, Weights, adapted, initial, loss, output, predict
from novum.arenas.adaptation.space import Design
from novum.population.recipe import schedule

MOMENTS, SMALLEST = (0.9, 0.99), 1e-8
"""Of Adam (Kingma and Ba 2015)."""
WARMUP = 0.1
"""Part of the steps in which the rate rises."""
LOOKS = 20
"""Points of a learning curve."""


@dataclass(frozen=True, slots=True)
class Member:
    """A trial: its seed, the rate of what is learned beforehand, and that within a task."""

    seed: int
    outer: float
    inner: float


@dataclass(frozen=True, eq=False)
class Learned:
    """Weights and the course: pairs of seconds and each member's mean loss."""

    weights: Weights
    curve: list[tuple[float, list[float]]]


Lesson = Callable[[int], tuple[Tasks, Tensor]]
"""Tasks of a step with the answers to their questions, [P, B, Q, C]."""


def learn(design: Design, form: Form, members: Sequence[Member], lesson: Lesson, steps: int) -> Learned:
    """So many steps of Adam with warm-up and cosine on what the design learns; none where it learns nothing."""
    seeds, inner = [one.seed for one in members], [one.inner for one in members]
    weights = initial(design, form, seeds, inner)
    learned = _learned(design, weights)
    curve: list[tuple[float, list[float]]] = []
    if not learned:
        return Learned(weights, curve)
    outer = torch.tensor([one.outer for one in members])[:, None, None, None]
    optimiser, begun = _Adam({name: weights[name] for name in learned}), time.process_time()
    for step in range(steps):
        tasks, answers = lesson(step)
        slopes, errors = _slopes(design, weights, learned, tasks, answers, shots=1 + step % tasks.inputs.shape[2])
        for name, change in optimiser.step(slopes, outer * schedule(step, steps, WARMUP)).items():
            weights[name] = weights[name] - change
        if step % max(1, steps // LOOKS) == 0 or step == steps - 1:
            curve.append((time.process_time() - begun, errors.tolist()))
    return Learned(weights, curve)


def _learned(design: Design, weights: Weights) -> list[str]:
    """Names of what is learned beforehand."""
    if design.meta == "none":
        return []
    features = [name for name in weights if name == "embedding" or name.startswith("hidden")]
    found = features if design.features == "learned" else []
    joint = design.meta == "joint"  # a head is needed to learn features with, though none is kept
    found += ["head"] if design.start == "learned" or joint else []
    if design.rates == "learned":
        found += ["penalty", "sharpness", *(name for name in weights if name.startswith("rate of"))]
    return found


def _slopes(
    design: Design, weights: Weights, learned: Sequence[str], tasks: Tasks, answers: Tensor, *, shots: int
) -> tuple[dict[str, Tensor], Tensor]:
    """The direction in which each learned weight is wrong, and every member's mean loss."""
    mine: Weights = {
        name: value.detach().requires_grad_(name in learned and design.meta != "reptile")
        for name, value in weights.items()
    }
    if design.meta == "reptile":
        with torch.enable_grad():
            moved = adapted(mine, design, tasks.first(shots), through=False)
        wrong = _mean(output(moved, design, tasks.asked), answers).detach()
        return {name: (mine[name] - moved[name].mean(1, keepdim=True)).detach() for name in learned}, wrong
    if design.meta == "joint":
        said = output(mine, design, tasks.asked)
    else:
        said = predict(mine, design, tasks.first(shots), through=design.meta == "unrolled")
    wrong = _mean(said, answers)
    found = torch.autograd.grad(wrong.sum(), [mine[name] for name in learned], allow_unused=True)
    slopes = {name: slope for name, slope in zip(learned, found, strict=True) if slope is not None}
    return {name: _clipped(slope) for name, slope in slopes.items()}, wrong.detach()


def _mean(said: Tensor, answers: Tensor) -> Tensor:
    """The loss of each member."""
    return loss(said, answers).mean((1, 2))


def _clipped(slope: Tensor) -> Tensor:
    """At most of length one for each member, and zero where it is not finite."""
    length = slope.square().sum((1, 2, 3), keepdim=True).sqrt()
    return torch.nan_to_num(slope / length.clamp(min=1.0), nan=0.0, posinf=0.0, neginf=0.0)


class _Adam:
    """Of tensors by name, with a rate for each member, [P, 1, 1, 1]."""

    def __init__(self, weights: Weights) -> None:
        self._first = {name: torch.zeros_like(value) for name, value in weights.items()}
        self._second = {name: torch.zeros_like(value) for name, value in weights.items()}
        self._count = 0

    def step(self, slopes: dict[str, Tensor], rate: Tensor) -> dict[str, Tensor]:
        """What is to be taken from each weight."""
        self._count += 1
        found = {}
        for name, slope in slopes.items():
            self._first[name].lerp_(slope, 1 - MOMENTS[0])
            self._second[name].lerp_(slope**2, 1 - MOMENTS[1])
            first = self._first[name] / (1 - MOMENTS[0] ** self._count)
            second = self._second[name] / (1 - MOMENTS[1] ** self._count)
            found[name] = rate * first / (second.sqrt() + SMALLEST)
        return found
