"""Programs as arrays for the compiled interpreter: codes, addresses in one flat memory, constants.

Memory holds LANES values side by side for each number: scalars first, then vectors of `size`, then matrices by row,
then room for one matrix more, which operations use that read while they write.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from novum.symbolic.operations import CODES
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language

LANES = 8
"""Independent values per number, worked on side by side: eight doubles fill the widest registers of today's CPUs."""

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Layout:
    """Where each register of a language lies, for vectors of `size` numbers."""

    language: Language
    size: int

    @cached_property
    def addresses(self) -> dict[str, int]:
        """The first place of each register."""
        out, at = {}, 0
        lengths = {"s": 1, "v": self.size, "m": self.size * self.size}
        for name, kind in self.language.kinds.items():
            out[name] = at
            at += lengths[kind] * LANES
        return out

    @property
    def scratch(self) -> int:
        """Where the room begins that operations use."""
        counts = (len(self.language.scalars), len(self.language.vectors), len(self.language.matrices))
        return LANES * (counts[0] + counts[1] * self.size + counts[2] * self.size**2)

    @property
    def length(self) -> int:
        """Numbers of the memory."""
        return self.scratch + LANES * max(self.size, self.size**2 if self.language.matrices else 0)

    def memory(self) -> NDArray[np.float64]:
        """A memory at zero."""
        return np.zeros(self.length)

    def address(self, register: str) -> np.uint64:
        """Unsigned, as compiled code wants it."""
        return np.uint64(self.addresses[register])


@dataclass(frozen=True, eq=False)
class MachineCode:
    """words: (instructions, 4) of code, out, a, b; constants: (instructions); bounds: (components + 1)."""

    words: Words
    constants: NDArray[np.float64]
    bounds: Words


def assembled(program: Program, layout: Layout) -> MachineCode:
    """The arrays of a program."""
    where, lines = layout.addresses, list(program)
    words = np.zeros((max(1, len(lines)), 4), np.uint64)
    for row, one in zip(words, lines, strict=False):
        named = [CODES[one.operation], where[one.out], *(where[name] for name in one.operands)]
        row[: len(named)] = named
    constants = np.array([one.constant for one in lines] or [0.0])
    bounds = np.cumsum([0, *map(len, program.parts)]).astype(np.uint64)
    return MachineCode(words, constants, bounds)
