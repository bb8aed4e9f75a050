"""A program as mathematics: what each register that is read or kept becomes, as an expression in those before."""

from __future__ import annotations

from novum.symbolic.normal_form import kept_registers, normal_form
from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Code, Program
from novum.symbolic.program_language import Language

_TIMES = {"mul_s", "scale_v", "scale_m", "mul_v", "mul_m", "columns_m"}
_SUMS = {"add_s", "add_v", "add_m", "sub_s", "sub_v", "sub_m", "shift_m"}


def equations(program: Program, language: Language) -> dict[str, list[str]]:
    """For each component its equations, such as `w <- w + 0.2 * (y - p) * x`; all of them hold at once.

    Registers on the right have the values from before the component ran.
    """
    found = normal_form(program, language)
    lasting = kept_registers(found, language)
    parts = zip(found.parts, language.components, strict=True)
    return {one.name: _equations(part, {*lasting, *one.read}) for part, one in parts if part}


def _equations(part: Code, shown: set[str]) -> list[str]:
    """What the shown registers become."""
    values: dict[str, tuple[str, int]] = {}
    for one in part:
        operands = [values.get(name, (name, 2)) for name in one.operands]
        values[one.out] = _expression(one.operation, operands, one.constant)
    return [f"{name} <- {text}" for name, (text, _) in sorted(values.items()) if name in shown and text != name]


def _expression(operation: str, operands: list[tuple[str, int]], constant: float) -> tuple[str, int]:
    """Text and precedence: 0 for a sum, 1 for a product, 2 for what needs no brackets."""
    if operation == "const":
        return f"{constant:g}", 2 if constant >= 0 else 0
    if operation == "copy_m":
        return operands[0]
    tight = 0 if operation in _SUMS else 1 if operation in _TIMES else 2 if "{a} " in BY_NAME[operation].text else -1
    texts = []
    for place, (text, precedence) in enumerate(operands):
        least = tight + (place == 1 and operation.startswith(("sub", "div")))
        texts.append(f"({text})" if precedence < least else text)
    names = dict(zip("ab", texts, strict=False))
    return BY_NAME[operation].text.format(c=f"{constant:g}", **names), 2 if tight < 0 else min(tight, 1)
