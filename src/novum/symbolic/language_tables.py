"""A language, and programs in it, as the arrays that `evolution_kernel` works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from novum.core.model.errors import StudyError
from novum.symbolic.operations import CODED, CODES
from novum.symbolic.program import Instruction, Program
from novum.symbolic.program_language import Language

KINDS = "svm"
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tables:
    """The arrays of a language.

    ops: (operations, 4) kinds of result, a, b (-1: none) and whether it has a constant. usable: codes of those that
    programs may use. kinds: (3, 2) first register and number of each kind. parts: (components, 3) first slot, end, runs
    once. masks: (components, 2) bits of registers given and read.
    """

    language: Language

    def __post_init__(self) -> None:
        if len(self.language.registers) > 64:
            raise StudyError("a language has at most 64 registers")

    @cached_property
    def ops(self) -> Ints:
        kinds = [[KINDS.index(one.result), *map(KINDS.index, one.operands)] for one in CODED]
        padded = [row + [-1] * (3 - len(row)) for row in kinds]
        return np.array([[*row, one.constant] for row, one in zip(padded, CODED, strict=True)])

    @cached_property
    def usable(self) -> Ints:
        return np.array([CODES[one.name] for one in self.language.usable])

    @cached_property
    def kinds(self) -> Ints:
        counts = [len(self.language.writable[kind]) for kind in KINDS]
        return np.array([[sum(counts[:at]), count] for at, count in enumerate(counts)])

    @cached_property
    def parts(self) -> Ints:
        ends = np.cumsum([one.limit for one in self.language.components])
        rows = zip(self.language.components, ends, strict=True)
        return np.array([[end - one.limit, end, one.once] for one, end in rows])

    @cached_property
    def masks(self) -> NDArray[np.uint64]:
        rows = [[self._mask(one.given), self._mask(one.read)] for one in self.language.components]
        return np.array(rows, np.uint64)

    @property
    def slots(self) -> int:
        """Of a program."""
        return int(self.parts[-1, 1])

    def _mask(self, names: tuple[str, ...]) -> int:
        return sum(1 << self.language.registers.index(name) for name in names)

    def encoded(self, program: Program) -> tuple[Ints, NDArray[np.float64]]:
        """Arrays raw (slots, 4) and constants (slots) of a program."""
        raw, constants = np.zeros((self.slots, 4), np.int64), np.zeros(self.slots)
        raw[:, 0] = -1
        numbers = {name: at for at, name in enumerate(self.language.registers)}
        for part, row in zip(program.parts, self.parts, strict=True):
            for slot, one in enumerate(part, row[0]):
                words = [CODES[one.operation], numbers[one.out], *(numbers[name] for name in one.operands)]
                raw[slot, : len(words)] = words
                constants[slot] = one.constant
        return raw, constants

    def decoded(self, raw: Ints, constants: NDArray[np.float64]) -> Program:
        """The program of such arrays; empty slots are left out."""
        return Program(
            tuple(
                tuple(self._line(raw[at], float(constants[at])) for at in range(start, end) if raw[at, 0] >= 0)
                for start, end, _ in self.parts
            )
        )

    def _line(self, row: Ints, constant: float) -> Instruction:
        one, registers = CODED[row[0]], self.language.registers
        operands = tuple(registers[row[2 + place]] for place in one.places)
        return Instruction(one.name, registers[row[1]], operands, constant if one.constant else 0.0)
