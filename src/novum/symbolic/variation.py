"""Random programs and small changes to them: an instruction more, less, or different, or a part of it.

The changes are those of AutoML-Zero (arXiv 2003.03384, section 3.2), and one that keeps the registers of an
instruction and changes its operation; constants move by a factor, sometimes their sign.
"""

from __future__ import annotations

import math
import random

from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Code, Instruction, Program
from novum.symbolic.program_language import Component, Language

SIGN_FLIPS = 0.1
"""Share of changes of a constant that also change its sign."""


def random_program(language: Language, rng: random.Random) -> Program:
    """Each component of a length drawn uniformly up to its limit, of instructions drawn uniformly."""
    return Program(tuple(random_part(language, one, rng) for one in language.components))


def random_part(language: Language, component: Component, rng: random.Random) -> Code:
    """A component drawn uniformly."""
    return tuple(random_instruction(language, rng) for _ in range(rng.randint(0, component.limit)))


def random_instruction(language: Language, rng: random.Random) -> Instruction:
    """An operation drawn uniformly, its registers drawn uniformly; a constant in (0, 1) or (-1, 0)."""
    operation = rng.choice(language.usable)
    operands = tuple(rng.choice(language.writable[kind]) for kind in operation.operands)
    constant = _held(rng.uniform(-1, 1), language) if operation.constant else 0.0
    return Instruction(operation.name, rng.choice(language.writable[operation.result]), operands, constant)


def mutated(program: Program, language: Language, rng: random.Random) -> Program:
    """One change of one component; the program itself where that change cannot be made."""
    at = rng.randrange(len(program.parts))
    parts = list(program.parts)
    parts[at] = _changed(parts[at], language, language.components[at], rng)
    return Program(tuple(parts))


def _changed(part: Code, language: Language, component: Component, rng: random.Random) -> Code:
    kind = rng.choice(("insert", "remove", "alter", "alter", "exchange", "replace", "move")) if part else "insert"
    lines = list(part)
    if kind == "insert":
        lines.insert(rng.randint(0, len(lines)), random_instruction(language, rng))
    elif kind == "remove":
        lines.pop(rng.randrange(len(lines)))
    elif kind == "move":
        lines.insert(rng.randrange(len(lines)), lines.pop(rng.randrange(len(lines))))
    else:
        at = rng.randrange(len(lines))
        lines[at] = _MADE[kind](lines[at], language, rng)
    return tuple(lines[: component.limit])


def exchanged(one: Instruction, language: Language, rng: random.Random) -> Instruction:
    """Another operation with the same registers, as far as their kinds allow; the others are drawn uniformly."""
    found = random_instruction(language, rng)
    old, new = BY_NAME[one.operation], BY_NAME[found.operation]
    if new.result != old.result:
        return found
    kept = dict(enumerate(one.operands))
    operands = tuple(
        kept[at] if old.operands[at : at + 1] == new.operands[at] else name for at, name in enumerate(found.operands)
    )
    return Instruction(found.operation, one.out, operands, found.constant)


def altered(one: Instruction, language: Language, rng: random.Random) -> Instruction:
    """The same operation with one register, or its constant, changed."""
    operation = BY_NAME[one.operation]
    if operation.constant and rng.random() < (0.4 if one.operands else 0.8):
        value = one.constant * math.exp(rng.gauss(0, 0.7)) or rng.uniform(-1, 1)
        value = _held(-value if rng.random() < SIGN_FLIPS else value, language)
        return Instruction(one.operation, one.out, one.operands, value)
    at = rng.randint(0, len(one.operands))
    if at == len(one.operands):
        return Instruction(one.operation, rng.choice(language.writable[operation.result]), one.operands, one.constant)
    operands = list(one.operands)
    operands[at] = rng.choice(language.writable[operation.operands[at]])
    return Instruction(one.operation, one.out, tuple(operands), one.constant)


def _drawn(one: Instruction, language: Language, rng: random.Random) -> Instruction:
    del one
    return random_instruction(language, rng)


_MADE = {"alter": altered, "exchange": exchanged, "replace": _drawn}


def crossed(one: Program, other: Program, language: Language, rng: random.Random) -> Program:
    """Each component from either by a fair coin, or the beginning of one and the end of the other."""
    parts = []
    for mine, theirs, component in zip(one.parts, other.parts, language.components, strict=True):
        if rng.random() < 0.5:
            parts.append(rng.choice((mine, theirs)))
        else:
            parts.append(
                (*mine[: rng.randint(0, len(mine))], *theirs[rng.randint(0, len(theirs)) :])[: component.limit]
            )
    return Program(tuple(parts))


def _held(value: float, language: Language) -> float:
    """A constant within its bounds, to four digits."""
    low, high = language.constants
    return min(high, max(low, float(f"{value:.4g}")))
