"""What programs of an arena look like: their registers, their components, and the operations that they may use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from novum.core.model.errors import StudyError
from novum.symbolic.operations import BY_NAME, Operation

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Component:
    """A part of a program: how long it may be, what is written for it before it runs and read after it ran.

    given and read are names of registers. `once`: it runs before all others; the others run again and again, in any
    order, and every register keeps its value from one run to the next.
    """

    name: str
    limit: int
    given: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    once: bool = False


@dataclass(frozen=True)
class Language:
    """Registers by kind, components in the order in which they run, and the operations of each kind of result.

    kept: registers whose first value is not zero, since it is given once. Raises StudyError for what does not fit.
    """

    scalars: tuple[str, ...]
    vectors: tuple[str, ...]
    matrices: tuple[str, ...]
    components: tuple[Component, ...]
    operations: tuple[str, ...]
    kept: tuple[str, ...] = ()
    constants: tuple[float, float] = field(default=(-10.0, 10.0))
    """Lowest and highest constant."""

    def __post_init__(self) -> None:
        names = self.registers
        if len(set(names)) != len(names):
            raise StudyError("two registers of a language have the same name")
        if wrong := next((name for name in names if not _NAME.match(name)), None):
            raise StudyError(f"a register is called by a word, not {wrong!r}")
        if unknown := next((name for name in self.operations if name not in BY_NAME), None):
            raise StudyError(f"there is no operation {unknown!r}")
        for component in self.components:
            if lost := {*component.given, *component.read} - set(names):
                raise StudyError(f"component {component.name!r} names registers that are not there: {sorted(lost)}")
            if lasting := set(component.given) & set(self.kept):
                raise StudyError(f"registers {sorted(lasting)} are given anew, so that a first value has no effect")

    @cached_property
    def registers(self) -> tuple[str, ...]:
        """All names, by kind."""
        return (*self.scalars, *self.vectors, *self.matrices)

    @property
    def genes(self) -> tuple[str, ...]:
        """Names of the components: the genes of a program's genome."""
        return tuple(one.name for one in self.components)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each register."""
        pairs = (("s", self.scalars), ("v", self.vectors), ("m", self.matrices))
        return {name: kind for kind, names in pairs for name in names}

    @cached_property
    def usable(self) -> tuple[Operation, ...]:
        """The operations for which there are registers."""
        present = set(self.kinds.values())
        named = (BY_NAME[name] for name in self.operations)
        return tuple(one for one in named if {one.result, *one.operands} <= present)

    @cached_property
    def writable(self) -> dict[str, tuple[str, ...]]:
        """Registers that an instruction may write, by kind: all of them."""
        return {"s": self.scalars, "v": self.vectors, "m": self.matrices}

    @cached_property
    def free(self) -> frozenset[str]:
        """Registers that only the program itself reads and writes, and that begin at zero: their names mean nothing."""
        bound = {name for one in self.components for name in (*one.given, *one.read)} | set(self.kept)
        return frozenset(self.registers) - bound
