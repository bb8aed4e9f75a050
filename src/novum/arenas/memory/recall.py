"""What a rule guesses on streams, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from novum.arenas.memory.language import language
from novum.arenas.memory.options import Options
from novum.arenas.memory.stream_kernel import read_back, recalled, written
from novum.arenas.memory.streams import Cell, Floats
from novum.symbolic.machine import LANES, Layout, assembled
from novum.symbolic.program import Program

Code = tuple[NDArray[np.uint64], Floats, NDArray[np.uint64]]


def places(layout: Layout) -> NDArray[np.uint64]:
    """Addresses for `stream_kernel`."""
    return np.array([*(layout.addresses[name] for name in "kvqo"), layout.scratch, layout.size], np.uint64)


@dataclass(frozen=True, eq=False)
class Machine:
    """Memory for rules with vectors of one size."""

    layout: Layout
    memory: Floats
    where: NDArray[np.uint64]

    @classmethod
    def of(cls, options: Options, size: int) -> Machine:
        """At zero."""
        layout = Layout(language(options), size)
        return cls(layout, layout.memory(), places(layout))

    def code(self, program: Program) -> Code:
        """A program for this memory."""
        found = assembled(program, self.layout)
        return found.words, found.constants, found.bounds

    def guesses(self, code: Code, cell: Flat) -> NDArray[np.int64]:
        """Of each question, (n, LANES) flat."""
        written(self.memory, code, self.where, cell.keys, cell.values, cell.writes)
        out, best = np.zeros(cell.asked * LANES, np.int64), np.zeros(LANES)
        recalled(self.memory, code, self.where, cell.questions, cell.asked, cell.codebook, cell.known, best, out)
        return out


@dataclass(frozen=True, eq=False)
class Flat:
    """The arrays of a cell in one dimension, and their counts as compiled code wants them."""

    keys: Floats
    values: Floats
    questions: Floats
    codebook: Floats
    answers: NDArray[np.int64]
    writes: np.uint64
    asked: np.uint64
    known: np.uint64

    @classmethod
    def of(cls, cell: Cell) -> Flat:
        """A copy."""
        arrays: list[Any] = [
            np.ascontiguousarray(x).reshape(-1)
            for x in (cell.keys, cell.values, cell.questions, cell.codebook, cell.answers)
        ]
        counts = [np.uint64(len(x)) for x in (cell.keys, cell.questions, cell.codebook)]
        return cls(*arrays, *counts)


def guesses(program: Program, options: Options, cells: list[Cell]) -> list[NDArray[np.int64]]:
    """Of a rule on each cell, (n, LANES)."""
    machines = {size: Machine.of(options, size) for size in {one.size for one in cells}}
    codes = {size: machine.code(program) for size, machine in machines.items()}
    return [machines[one.size].guesses(codes[one.size], Flat.of(one)).reshape(-1, LANES) for one in cells]


def reads(program: Program, options: Options, cell: Cell) -> Floats:
    """What a rule reads at each question, (n, d, LANES)."""
    machine, flat = Machine.of(options, cell.size), Flat.of(cell)
    code = machine.code(program)
    written(machine.memory, code, machine.where, flat.keys, flat.values, flat.writes)
    said = np.zeros(cell.questions.size)
    read_back(machine.memory, code, machine.where, flat.questions, flat.asked, said)
    return said.reshape(cell.questions.shape)
