"""What programs cost by construction: floating-point operations, and numbers kept from one run to the next."""

from __future__ import annotations

from novum.symbolic.normal_form import kept_registers
from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Code, Program
from novum.symbolic.program_language import Language

_SUMS = ("dot", "norm_v", "norm_m", "matvec", "vecmat")
"""A multiplication and an addition per element."""


def flop(part: Code, size: int) -> int:
    """Of one run of a component with vectors of `size` numbers; any function of one element counts as one."""
    return sum(_flop(one.operation, size) for one in part)


def _flop(name: str, size: int) -> int:
    if name in ("const", "fill_v", "transpose"):
        return 0
    if name == "matmul":
        return 2 * size**3
    one = BY_NAME[name]
    rank = max("svm".index(kind) for kind in one.result + one.operands)
    elements: int = size**rank
    return elements * (2 if name in _SUMS else 1)


def state_floats(program: Program, language: Language, size: int) -> int:
    """Numbers of the registers that carry something from one run of a component to a later one."""
    lengths = {"s": 1, "v": size, "m": size * size}
    return sum(lengths[language.kinds[name]] for name in kept_registers(program, language))
