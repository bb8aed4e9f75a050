"""A program: instructions by component; how it is written and read.

learn: e = y - p; e = r * e; g = e * x; w = w + g
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from novum.core.model.errors import StudyError
from novum.symbolic.operations import BY_NAME, Operation
from novum.symbolic.program_language import Component, Language

SEPARATOR = "; "
_WORD = r"([A-Za-z][A-Za-z0-9_]*)"
_CONSTANT = r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]?inf|nan)"


@dataclass(frozen=True, slots=True)
class Instruction:
    """out = operation(operands); `constant` for the one that has one."""

    operation: str
    out: str
    operands: tuple[str, ...] = ()
    constant: float = 0.0

    def __str__(self) -> str:
        names = dict(zip("ab", self.operands, strict=False))
        return f"{self.out} = {BY_NAME[self.operation].text.format(c=repr(self.constant), **names)}"


Code = tuple[Instruction, ...]
"""Of one component."""


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions of each component of a language, in the order of its components."""

    parts: tuple[Code, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[Instruction]:
        return (one for part in self.parts for one in part)


def written(part: Code) -> str:
    """A component as text."""
    return SEPARATOR.join(map(str, part))


def read(text: str, language: Language, component: Component) -> Code:
    """The instructions of a component. Raises StudyError that names the instruction that cannot be read."""
    lines = [line.strip() for line in text.replace("\n", ";").split(";")]
    found = tuple(_instruction(line, language, component.name) for line in lines if line)
    if len(found) > component.limit:
        raise StudyError(
            f"{component.name} has {len(found)} instructions: at most {component.limit} are allowed in this study"
        )
    return found


def _instruction(line: str, language: Language, component: str) -> Instruction:
    """One instruction. Raises StudyError."""
    out, equals, rest = (part.strip() for part in line.partition("="))
    if not equals or out not in language.kinds:
        raise StudyError(f"{component}: {line!r} does not write a register: one of {', '.join(language.registers)}")
    for operation in language.usable:
        if operation.result == language.kinds[out] and (found := _PATTERNS[operation.name].match(rest)):
            operands = found.groups()[: len(operation.operands)]
            if tuple(language.kinds.get(name) for name in operands) == tuple(operation.operands):
                value = _constant(found.groups()[-1], language, component, line) if operation.constant else 0.0
                return Instruction(operation.name, out, operands, value)
    raise StudyError(f"{component}: {line!r} is no instruction of this arena; it has {operations_text(language)}")


def _constant(text: str, language: Language, component: str, line: str) -> float:
    low, high = language.constants
    try:
        value = float(text)
    except ValueError:
        raise StudyError(f"{component}: {line!r} has no number") from None
    if not (math.isfinite(value) and low <= value <= high):
        raise StudyError(f"{component}: the constant of {line!r} is not between {low:g} and {high:g}")
    return value


def operations_text(language: Language) -> str:
    """The operations of a language, as they are written."""
    return ", ".join(one.text.format(a=_operand(one, 0), b=_operand(one, 1), c="number") for one in language.usable)


def _operand(one: Operation, place: int) -> str:
    return one.operands[place] if place < len(one.operands) else ""


def _pattern(one: Operation) -> re.Pattern[str]:
    text = re.escape(one.text.format(a="\0a", b="\0b", c="\0c"))
    for mark, what in (("a", _WORD), ("b", _WORD), ("c", _CONSTANT)):
        text = text.replace(re.escape("\0" + mark), what)
    return re.compile(text.replace(r"\ ", r"\s*") + r"\Z")


_PATTERNS = {name: _pattern(one) for name, one in BY_NAME.items()}
