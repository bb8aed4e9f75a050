"""The smallest program that does as well: instructions that can go, constants with fewer digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from novum.symbolic.normal_form import normal_form
from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Instruction, Program
from novum.symbolic.program_language import Language


def simplified(program: Program, language: Language, good: Callable[[Program], bool]) -> Program:
    """A program in normal form that is still `good` and from which nothing can be taken alone.

    Greedy, from the last instruction to the first, until a whole round changes nothing; then constants are rounded to
    as few digits as `good` allows, up to four.
    """
    best = normal_form(program, language)
    while (shorter := next((one for one in _shorter(best, language) if good(one)), None)) is not None:
        best = shorter
    for at, one in enumerate(best):
        if BY_NAME[one.operation].constant:
            for digits in range(1, 5):
                rounded = _with(best, at, replace(one, constant=float(f"{one.constant:.{digits}g}")))
                if good(rounded):
                    best = rounded
                    break
    return best


def _shorter(program: Program, language: Language) -> Iterator[Program]:
    """Programs with an instruction less."""
    for at in reversed(range(len(program))):
        yield normal_form(_with(program, at, None), language)


def _with(program: Program, at: int, new: Instruction | None) -> Program:
    """Another instruction, or none, in the place of one; they are counted over all components."""
    parts, begin = [], 0
    for part in program.parts:
        here = at - begin
        if 0 <= here < len(part):
            part = (*part[:here], *([new] if new else []), *part[here + 1 :])
        parts.append(part)
        begin += len(program.parts[len(parts) - 1])
    return Program(tuple(parts))
