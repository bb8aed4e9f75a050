"""A group's trials as one population: each member has its own data, weights and rate, and all step together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from novum.arenas.optimisers.interpret import fresh_registers, run
from novum.arenas.optimisers.lessons import Lesson, PerceptronLesson, QuadraticLesson
from novum.arenas.optimisers.options import Options, TaskName
from novum.arenas.optimisers.rate_schedule import factor
from novum.arenas.optimisers.transformer import BytesLesson
from novum.core.model.trial import Role
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language

LESSONS: Mapping[TaskName, Callable[[Options, Role, Sequence[int]], Lesson]] = {
    "quadratic": QuadraticLesson, "mnist1d": PerceptronLesson, "digits": PerceptronLesson, "bytes": BytesLesson,
}  # fmt: skip
READINGS = 12


class Rule:
    """An update rule with the registers of every parameter."""

    def __init__(self, program: Program, language: Language, weights: Sequence[Tensor]) -> None:
        self.code, self.count = program.parts[-1], 0
        self.registers = [fresh_registers(language, each) for each in weights]
        if len(program.parts) > 1:
            for each in self.registers:
                run(program.parts[0], each)

    def __call__(self, weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """What is to be taken from each parameter, before the rate."""
        self.count += 1
        for registers, weight, gradient in zip(self.registers, weights, gradients, strict=True):
            registers["g"], registers["w"] = gradient, weight
            if "t" in registers:
                registers["t"] = torch.full_like(registers["t"], float(self.count))
            run(self.code, registers)
        return [registers["u"] for registers in self.registers]


@dataclass(slots=True)
class Trained:
    """Predictions [P, rows, outputs], whether they and the weights are finite, and losses on the way."""

    said: Tensor
    fine: list[bool]
    curve: list[tuple[float, list[float]]] = field(default_factory=list)
    """CPU seconds of a member, and each member's loss on its batch."""


@torch.no_grad()
def train(
    program: Program, language: Language, options: Options, role: Role, seeds: Sequence[int], rates: Sequence[float],
    steps: int,
) -> Trained:  # fmt: skip
    """Train a member for each seed with its rate."""
    lesson = LESSONS[options.task](options, role, seeds)
    weights = lesson.first()
    rule, speeds = Rule(program, language, weights), torch.tensor(rates, dtype=torch.float32)[:, None, None]
    readings = {steps * (at + 1) // READINGS - 1 for at in range(READINGS)}
    curve: list[tuple[float, list[float]]] = []
    began = time.process_time()
    for step in range(steps):
        gradients, losses = lesson.gradients(weights, step)
        weights = [each.detach() for each in weights]
        size = speeds * factor(options, step, steps)
        updates = rule(weights, gradients)
        weights = [each - size * update for each, update in zip(weights, updates, strict=True)]
        if step in readings:
            curve.append(((time.process_time() - began) / len(seeds), losses.tolist()))
    said = lesson.said(weights)
    fine = said.isfinite().flatten(1).all(1)
    for each in weights:
        fine &= each.isfinite().flatten(1).all(1)
    return Trained(said, fine.tolist(), curve)
