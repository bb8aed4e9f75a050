"""A group's trials as one population: every member has its own data, weights, noise and rate, and all step together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from novum.arenas.local_learning.data import Lesson
from novum.arenas.local_learning.rules.alignment import alignment
from novum.arenas.local_learning.rules.noise import Noise
from novum.arenas.local_learning.rules.rule import Rule, rule
from novum.arenas.local_learning.rules.update import Update
from novum.arenas.local_learning.space import Design
from novum.population.recipe import schedule
from novum.population.streams import stream

WARMUP = 0.05
"""Part of the steps in which rates rise; then they fall by a cosine."""
PROBED, WATCHED, READINGS = 64, 256, 12
"""Examples that an alignment is measured on, and an accuracy of the training; readings of the latter."""
AT_ONCE = 256
"""Examples that are predicted together."""


@dataclass(slots=True)
class Trained:
    """The rule with what it learned, and what was seen on the way."""

    rule: Rule
    alignments: dict[int, list[list[float]]] = field(default_factory=dict)
    """By step: the cosine for each hidden layer and member."""
    accuracies: list[tuple[float, list[float]]] = field(default_factory=list)
    """CPU seconds of a member, and each member's accuracy on examples that it learns from."""


@torch.no_grad()
def train(
    design: Design, lessons: Sequence[Lesson], seeds: Sequence[int], rates: Sequence[float], steps: int, batch: int
) -> Trained:
    """Train a member for each seed, with its own lesson and rate. Rows of all lessons are equally many."""
    inputs = torch.from_numpy(np.stack([one.inputs for one in lessons]))
    labels = torch.from_numpy(np.stack([one.labels for one in lessons]))
    found = Trained(rule(design, inputs.shape[-1], seeds))
    update, noise = Update(design.update, found.rule.learned), Noise(seeds, "training")
    order, speeds = _order(seeds, labels.shape[1], steps * batch), torch.tensor(rates)
    members = torch.arange(len(seeds))[:, None]
    probes = {0, steps // 2, steps - 1}
    readings = {steps * (at + 1) // READINGS - 1 for at in range(READINGS)}
    spent, began = 0.0, time.process_time()
    for step in range(steps):
        if step in probes:
            spent += time.process_time() - began
            seen = Noise(seeds, f"probe/{step}")
            found.alignments[step] = alignment(found.rule, inputs[:, :PROBED], labels[:, :PROBED], seen)
            began = time.process_time()
        rows = order[:, step * batch : (step + 1) * batch]
        directions = found.rule.directions(inputs[members, rows], labels[members, rows], noise)
        update(directions, speeds * schedule(step, steps, WARMUP))
        if step in readings:
            spent += time.process_time() - began
            right = found.rule.logits(inputs[:, :WATCHED]).argmax(-1) == labels[:, :WATCHED]
            found.accuracies.append((spent / len(seeds), right.float().mean(1).tolist()))
            began = time.process_time()
    return found


@torch.no_grad()
def said(made: Rule, inputs: Tensor) -> tuple[Tensor, list[bool]]:
    """Classes [P, rows] of inputs [P, rows, I], and whether all of a member's weights and logits are finite."""
    pieces = [made.logits(inputs[:, at : at + AT_ONCE]) for at in range(0, inputs.shape[1], AT_ONCE)]
    logits = torch.cat(pieces, 1)
    fine = logits.isfinite().flatten(1).all(1)
    for weights in made.learned:
        fine &= weights.isfinite().flatten(1).all(1)
    return logits.argmax(-1), fine.tolist()


def _order(seeds: Sequence[int], rows: int, count: int) -> Tensor:
    """Which example each member sees when: all rows in a new order, again and again, [P, count]."""
    each = []
    for seed in seeds:
        rng = stream(seed, "local-learning/order")
        each.append(np.concatenate([rng.permutation(rows) for _ in range(-(-count // rows))])[:count])
    return torch.from_numpy(np.stack(each))
