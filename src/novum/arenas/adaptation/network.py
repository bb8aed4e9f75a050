"""A network of two hidden layers and a linear head for many members and tasks at once, and its adaptation.

Shapes: P members, B tasks, K examples, Q questions, F inputs, D features of the head, C outputs. A weight is
[P, 1, in, out] as it is learned beforehand and [P, B, in, out] once a task has changed it. With one output losses are
squares, with more they are cross-entropies of a softmax.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from novum.arenas.adaptation.space import Design
from novum.arenas.adaptation.texts import EMBEDDED
from novum.population.streams import stream

Weights = dict[str, Tensor]
NEIGHBOURS = 3
MOVED = {"hidden 1", "hidden 2", "head"}
"""Weights that a task may change."""
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}
LONGEST = 3.0
"""Direction of a step of gradient descent within a task, all weights together."""
PENALTY, SHARPNESS = 0.1, 10.0
"""Of ridge regression and of attention, over and times the step size of a trial: they begin there."""


@dataclass(frozen=True, slots=True)
class Form:
    """What goes in and out. symbols: how many the inputs may stand for; 0 where they are numbers."""

    inputs: int
    outputs: int = 1
    symbols: int = 0

    @property
    def width(self) -> int:
        """Of what the first layer sees."""
        return self.inputs * (EMBEDDED if self.symbols else 1)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Inputs [P, B, K, F], labels [P, B, K, C] and what is asked [P, B, Q, F]."""

    inputs: Tensor
    labels: Tensor
    asked: Tensor

    def first(self, shots: int) -> Tasks:
        """The same with so many examples."""
        return Tasks(self.inputs[:, :, :shots], self.labels[:, :, :shots], self.asked)


def initial(design: Design, form: Form, seeds: Sequence[int], rates: Sequence[float]) -> Weights:
    """Weights of each member from its own seed; logarithms of what `rates` sets, one for each kind of weight."""
    rng = [stream(seed, "adaptation/weights") for seed in seeds]
    sizes = [form.width, design.width, design.width] if design.deep else []
    weights: Weights = {}
    for layer in range(max(0, len(sizes) - 1)):
        rows, columns = sizes[layer] + 1, sizes[layer + 1]
        drawn = [one.normal(size=(1, rows, columns)) * math.sqrt(2.0 / rows) for one in rng]
        weights[f"hidden {layer + 1}"] = torch.tensor(np.stack(drawn), dtype=torch.float32)
    if form.symbols:
        drawn = [one.normal(size=(1, form.symbols, EMBEDDED)) for one in rng]
        weights["embedding"] = torch.tensor(np.stack(drawn), dtype=torch.float32)
    wide = design.width + 1 if design.deep else form.width
    weights["head"] = torch.zeros(len(seeds), 1, wide, form.outputs)
    logs = torch.tensor(rates, dtype=torch.float32).log()[:, None, None, None]
    for name in MOVED & weights.keys():
        weights[f"rate of {name}"] = logs.clone()
    weights["penalty"] = math.log(PENALTY) - logs
    weights["sharpness"] = math.log(SHARPNESS) + logs
    return weights


def embed(weights: Mapping[str, Tensor], design: Design, inputs: Tensor) -> Tensor:
    """Features of inputs [P, B, n, F]: [P, B, n, D], of mean squared length about one."""
    found = _looked_up(weights["embedding"], inputs) if "embedding" in weights else inputs
    act = ACTIVATIONS[design.activation]
    for layer in (1, 2) if design.deep else ():
        found = act(_with_one(found) @ weights[f"hidden {layer}"])
    found = _with_one(found) if design.deep else found
    return found / math.sqrt(found.shape[-1])


def _looked_up(embedding: Tensor, symbols: Tensor) -> Tensor:
    """Vectors of symbols [P, B, n, F] from [P, 1, symbols, E]: [P, B, n, F * E]."""
    members = torch.arange(symbols.shape[0])[:, None, None, None]
    return embedding[:, 0][members, symbols.long()].flatten(3)


def _with_one(values: Tensor) -> Tensor:
    return torch.cat([values, torch.ones_like(values[..., :1])], -1)


def output(weights: Mapping[str, Tensor], design: Design, inputs: Tensor) -> Tensor:
    """What is said without adaptation, [P, B, n, C]."""
    return embed(weights, design, inputs) @ weights["head"]


def loss(said: Tensor, labels: Tensor) -> Tensor:
    """Half the squared error, or the cross-entropy in nats, [P, B, n]."""
    if labels.shape[-1] == 1:
        return 0.5 * ((said - labels) ** 2)[..., 0]
    return -(torch.log_softmax(said, -1) * labels).sum(-1)


def adapted(weights: Weights, design: Design, tasks: Tasks, *, through: bool) -> Weights:
    """Weights after gradient descent on the examples, each kind with its rate. through: so that it can be derived."""
    moved = ["head"] if design.adapts == "head" else sorted(MOVED & weights.keys())
    now: Weights = dict(weights)
    tasks_count = tasks.inputs.shape[1]
    for name in moved:
        now[name] = weights[name].expand(-1, tasks_count, -1, -1)
        if not now[name].requires_grad:
            now[name] = now[name].clone().requires_grad_()
    for _ in range(design.descent):
        wrong = loss(output(now, design, tasks.inputs), tasks.labels).mean(-1).sum()
        slopes = torch.autograd.grad(wrong, [now[name] for name in moved], create_graph=through)
        shorter = _shortening(slopes)
        for name, slope in zip(moved, slopes, strict=True):
            now[name] = now[name] - weights[f"rate of {name}"].exp() * shorter * slope
    return now


def _shortening(slopes: Sequence[Tensor]) -> Tensor:
    """What a task's direction of descent is multiplied with so that it is at most LONGEST, [P, B, 1, 1].

    Without it, five steps at the step size that did best on other tasks have exploded.
    """
    squares = sum(((slope**2).sum((2, 3), keepdim=True) for slope in slopes), start=torch.tensor(1e-12))
    return (LONGEST / squares.sqrt()).clamp(max=1.0)


def predict(weights: Weights, design: Design, tasks: Tasks, *, through: bool) -> Tensor:
    """Answers to the questions after the examples, [P, B, Q, C]. through: so that the adaptation can be derived."""
    if tasks.inputs.shape[2] == 0:
        return output(weights, design, tasks.asked)
    if design.inner == "gradient":
        return output(adapted(weights, design, tasks, through=through), design, tasks.asked)
    asked = embed(weights, design, tasks.asked)
    if design.inner == "none":
        return asked @ weights["head"]
    seen = embed(weights, design, tasks.inputs)
    if design.inner in ("attention", "neighbours"):
        return _nearest(weights, design, seen, tasks.labels, asked)
    head = _delta(weights, seen, tasks.labels) if design.inner == "delta" else _ridge(weights, seen, tasks.labels)
    return asked @ head


def _delta(weights: Weights, seen: Tensor, labels: Tensor) -> Tensor:
    """The head after one step for each example in turn: W <- W + r x (y - said)^T, [P, B, D, C]."""
    head, rate = weights["head"].expand(-1, seen.shape[1], -1, -1), weights["rate of head"].exp()
    for at in range(seen.shape[2]):
        one = seen[:, :, at, :, None]
        said = (one * head).sum(2, keepdim=True)
        said = torch.softmax(said, -1) if labels.shape[-1] > 1 else said
        head = head + rate * one * (labels[:, :, at, None] - said)
    return head


def _ridge(weights: Weights, seen: Tensor, labels: Tensor) -> Tensor:
    """The head that minimises squared errors + penalty |w - start|^2, by its dual, [P, B, D, 1]."""
    start = weights["head"]
    wrong = labels - seen @ start
    kernel = seen @ seen.transpose(-1, -2) + weights["penalty"].exp() * torch.eye(seen.shape[2])
    found: Tensor = start + seen.transpose(-1, -2) @ torch.linalg.solve(kernel, wrong)
    return found


def _nearest(weights: Weights, design: Design, seen: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """Labels weighted by exp(-sharpness |distance|^2), or the mean of the nearest.

    Of several outputs: the logarithm of the mean of those weights and of what the head says (the nearest neighbours'
    language model of Khandelwal et al. 2020, arXiv 1911.00172).
    """
    apart = (asked**2).sum(-1)[..., None] - 2 * asked @ seen.transpose(-1, -2) + (seen**2).sum(-1)[..., None, :]
    if design.inner == "neighbours":
        count = NEIGHBOURS if seen.shape[2] >= NEIGHBOURS else 1  # an odd number, so that classes are not level
        places = apart.topk(count, largest=False).indices
        every = labels[:, :, None, :, 0].expand(-1, -1, asked.shape[2], -1)
        return every.gather(-1, places).mean(-1, keepdim=True)
    shares: Tensor = torch.softmax(-weights["sharpness"].exp() * apart, -1)
    found = shares @ labels
    if labels.shape[-1] == 1:
        return found
    return (0.5 * found + 0.5 * torch.softmax(asked @ weights["head"], -1)).log()
