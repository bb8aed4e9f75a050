"""The normal form of a program: no instruction without effect, operands in order, free registers by first use."""

from __future__ import annotations

from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Code, Instruction, Program
from novum.symbolic.program_language import Language


def normal_form(program: Program, language: Language) -> Program:
    """The same function of what is given, as few instructions as liveness shows, names that mean nothing made equal."""
    return _renamed(
        Program(tuple(tuple(map(_ordered, part)) for part in without_dead(program, language).parts)), language
    )


def without_dead(program: Program, language: Language) -> Program:
    """Without instructions whose result nobody reads (liveness as a fixed point over all orders of the components)."""
    live = _live_after(program, language)
    return Program(tuple(_swept(part, set(after))[0] for part, after in zip(program.parts, live, strict=True)))


def kept_registers(program: Program, language: Language) -> frozenset[str]:
    """Registers whose value one run of a component leaves for a later one."""
    live = _live_after(program, language)
    written = {one.out for one in program} | set(language.kept)
    parts = zip(program.parts, live, language.components, strict=True)
    return frozenset().union(*(_swept(part, set(after))[1] - set(one.given) for part, after, one in parts)) & written


def _live_after(program: Program, language: Language) -> list[frozenset[str]]:
    """The registers whose value matters after each component."""
    components = language.components
    before = [frozenset[str]() for _ in components]
    while True:
        coming = frozenset().union(*(b for b, one in zip(before, components, strict=True) if not one.once))
        after = [frozenset(one.read) | coming for one in components]
        parts = zip(program.parts, after, components, strict=True)
        found = [_swept(part, set(live))[1] - set(one.given) for part, live, one in parts]
        if found == before:
            return after
        before = found


def _swept(part: Code, live: set[str]) -> tuple[Code, frozenset[str]]:
    """The instructions with effect, and the registers whose value matters before them. live: those that do after."""
    kept: list[Instruction] = []
    for one in reversed(part):
        if one.out in live:
            live = (live - {one.out}) | set(one.operands)
            kept.append(one)
    return tuple(reversed(kept)), frozenset(live)


def _ordered(one: Instruction) -> Instruction:
    if not BY_NAME[one.operation].commutes or one.operands == (operands := tuple(sorted(one.operands))):
        return one
    return Instruction(one.operation, one.out, operands, one.constant)


def _renamed(program: Program, language: Language) -> Program:
    """Free registers of each kind take the first names by the alphabet, in the order in which they appear."""
    names = {
        kind: sorted(one for one in registers if one in language.free) for kind, registers in language.writable.items()
    }
    new: dict[str, str] = {}
    for one in program:
        for register in (*one.operands, one.out):
            if register in language.free and register not in new:
                new[register] = names[language.kinds[register]].pop(0)
    parts = (tuple(_with(one, new) for one in part) for part in program.parts)
    return Program(tuple(tuple(map(_ordered, part)) for part in parts))


def _with(one: Instruction, new: dict[str, str]) -> Instruction:
    operands = tuple(new.get(name, name) for name in one.operands)
    return Instruction(one.operation, new.get(one.out, one.out), operands, one.constant)
