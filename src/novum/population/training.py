"""Training a population: members that fail or have nothing left to learn leave, and those that wait take their places.

Sizes: P places, B sequences, T tokens, Q labelled tokens, n parameters.
"""

# ruff: noqa: N806 -- names of tensors end in their shapes
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from novum.population.compiled_step import Chosen, choose
from novum.population.member_count import suggested_places
from novum.population.network import Network
from novum.population.recipe import Member, Recipe, schedule
from novum.population.training_step import TrainingStep

Ints = npt.NDArray[np.int64]


class Labelled(Protocol):
    """Sequences with labelled positions: [rows, T], [rows, Q] and [rows, Q]."""

    @property
    def tokens(self) -> Ints: ...

    @property
    def positions(self) -> Ints: ...

    @property
    def answers(self) -> Ints: ...


Blocks = Callable[[int, int, int], Labelled]
"""Training sequences of (seed, block number, rows)."""

STEPS_AT_ONCE = 16
"""Steps whose sequences are drawn together."""


class Ending(StrEnum):
    """Why a member's training ended."""

    COMPLETE = "complete"
    DIVERGED = "diverged"
    PLATEAU = "plateau"


@dataclass(frozen=True, slots=True)
class Patience:
    """When a member has nothing left to learn: no gain of `least` nats in its smoothed loss for `steps` steps.

    Not before the part `first` of the training, since some tasks are learned at once after a long time.
    """

    steps: int
    least: float = 0.005
    first: float = 0.5


@dataclass(slots=True)
class Trained:
    """What became of a member: parameters [n], its losses before each step, gradient norms, and how it ended."""

    member: Member
    parameters: Tensor
    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    ending: Ending = Ending.COMPLETE


@dataclass(frozen=True, slots=True)
class Training:
    """All members in the order in which they were given, the step that ran, and CPU seconds of the steps alone."""

    members: list[Trained]
    step: Chosen
    cpu_seconds: float


Observe = Callable[[Tensor, list[int], list[int]], None]
"""Shown the leaf [P, n] after a step, which member sits in each place, and how many steps each of them has made."""


@dataclass
class _Place:
    """Where a member sits: its number, how many steps it has made, and the sequences that it is reading."""

    index: int
    step: int = 0
    rows: Labelled | None = None
    active: bool = True


def train(
    network: Network,
    recipe: Recipe,
    members: Sequence[Member],
    blocks: Blocks,
    *,
    places: int = 0,
    compiling: str = "auto",
    patience: Patience | None = None,
    observe: Observe | None = None,
    device: str = "cpu",
) -> Training:
    """Train all members, `places` of them at a time (0: as many as the shapes and the machine suggest).

    Places follow from the first block of sequences. A member's result does not depend on who trains beside it, but for
    rounding.
    """
    if not places:
        length = blocks(members[0].seed, 0, recipe.batch).tokens.shape[1]
        free = torch.cuda.mem_get_info()[0] if device == "cuda" else None
        places = suggested_places(network.stack, recipe.batch, length, free)
    run = _Run(network, recipe, list(members), blocks, places, patience, device)
    run.prepare(compiling)
    while run.alive:
        run.advance()
        if observe and run.alive:
            observe(run.leaf, [place.index for place in run.places], [place.step for place in run.places])
    return Training(run.results, run.chosen, run.cpu_seconds)


class _Run:
    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        members: list[Member],
        blocks: Blocks,
        places: int,
        patience: Patience | None,
        device: str,
    ) -> None:
        self.network, self.recipe, self.members, self.blocks = network, recipe, members, blocks
        self.patience, self.device = patience, torch.device(device)
        self.results = [Trained(member, torch.empty(0)) for member in members]
        self.waiting = list(range(len(members)))
        count = min(places, len(members))
        self.places = [_Place(self.waiting.pop(0)) for _ in range(count)]
        layout = network.stack.layout
        initial = layout.initial([members[place.index].seed for place in self.places])
        self.leaf = torch.from_numpy(initial).to(self.device)
        self.mean, self.square = torch.zeros_like(self.leaf), torch.zeros_like(self.leaf)
        self.mask = torch.from_numpy(layout.decay_mask()).to(self.device)
        self.best = np.full((len(members), 2), np.inf)
        self.cpu_seconds = 0.0
        self.chosen = Chosen(TrainingStep(network, recipe), compiled=False)

    @property
    def alive(self) -> bool:
        """Whether anybody is still training."""
        return any(place.active for place in self.places)

    def prepare(self, compiling: str) -> None:
        """Choose the step by what there is to do."""
        step = TrainingStep(self.network, self.recipe)
        total = self.recipe.steps * len(self.members) // max(1, len(self.places))
        example = (self.leaf, self.mean, self.square, self.mask, self._plan(), *self._batch())
        self.chosen = choose(step, example, len(self.places), total, compiling)

    def advance(self) -> None:
        """One step of everybody; those who end leave."""
        began = time.process_time()
        batch = self._batch()
        state = (self.leaf, self.mean, self.square, self.mask, self._plan())
        self.leaf, self.mean, self.square, losses_P, norms_P = self.chosen.run(*state, *batch)
        losses, norms = losses_P.tolist(), norms_P.tolist()
        ended: list[int] = []
        for row, place in enumerate(self.places):
            if not place.active:
                continue
            place.step += 1
            self.results[place.index].losses.append(losses[row])
            self.results[place.index].gradient_norms.append(norms[row])
            if ending := self._ending(place, losses[row]):
                self.results[place.index].ending = ending
                self.results[place.index].parameters = self.leaf[row].clone()
                ended.append(row)
        if ended:
            self._replace(ended)
        self.cpu_seconds += time.process_time() - began

    def _ending(self, place: _Place, loss: float) -> Ending | None:
        if not np.isfinite(loss):
            return Ending.DIVERGED
        if place.step >= self.recipe.steps:
            return Ending.COMPLETE
        if self.patience is None:
            return None
        smooth, step = self.best[place.index]
        results = self.results[place.index].losses[-20:]
        now = sum(results) / len(results)
        if now < smooth - self.patience.least or place.step < self.patience.first * self.recipe.steps:
            self.best[place.index] = (min(now, smooth), place.step)
            return None
        return Ending.PLATEAU if place.step - step >= self.patience.steps else None

    def _replace(self, ended: list[int]) -> None:
        """Give the places of those who ended to those who wait; close what is left over.

        A compiled step has a fixed number of places, so there a closed one is computed on and not looked at.
        """
        for row in ended:
            self.places[row].active = False
            if self.waiting:
                index = self.waiting.pop(0)
                fresh = torch.from_numpy(self.network.stack.layout.initial([self.members[index].seed])[0])
                self.leaf[row], self.mean[row], self.square[row] = fresh.to(self.device), 0.0, 0.0
                self.places[row] = _Place(index)
        keep = [row for row, place in enumerate(self.places) if place.active]
        if self.chosen.compiled or not keep or len(keep) == len(self.places):
            return
        rows = torch.tensor(keep, device=self.device)
        self.leaf, self.mean, self.square = self.leaf[rows], self.mean[rows], self.square[rows]
        self.places = [self.places[row] for row in keep]

    def _plan(self) -> Tensor:
        """Learning rate, weight decay and both corrections of each member at its own step, [P, 4]."""
        recipe, rows = self.recipe, []
        for place in self.places:
            member, step = self.members[place.index], place.step
            rate = member.rate * schedule(step, recipe.steps, recipe.warmup) if place.active else 0.0
            rows.append((rate, member.weight_decay, 1 - recipe.beta1 ** (step + 1), 1 - recipe.beta2 ** (step + 1)))
        return torch.tensor(rows, dtype=torch.float32).to(self.device)

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """The next batch of every member: tokens, positions and answers, [P, B, ...]."""
        size, cut = self.recipe.batch, []
        for place in self.places:
            block, start = divmod(place.step, STEPS_AT_ONCE)
            if place.rows is None or (start == 0 and place.active):
                count = min(STEPS_AT_ONCE, self.recipe.steps - block * STEPS_AT_ONCE)
                place.rows = self.blocks(self.members[place.index].seed, block, count * size)
            start = start if place.active else 0
            cut.append((place.rows, slice(start * size, (start + 1) * size)))
        fields = (
            np.stack([getattr(rows, name)[at] for rows, at in cut]) for name in ("tokens", "positions", "answers")
        )
        tokens, positions, answers = (torch.from_numpy(x).to(self.device) for x in fields)
        return tokens, positions, answers
