"""What a rule costs by construction: numbers that it keeps, and FLOP of a trial with its gradients."""

from __future__ import annotations

from novum.arenas.optimisers.constants import ROUNDS
from novum.arenas.optimisers.options import Options
from novum.arenas.optimisers.shapes import Shape, gradient_flop, shapes
from novum.core.model.candidate import Cost
from novum.core.model.trial import Role
from novum.symbolic.normal_form import kept_registers
from novum.symbolic.operations import BY_NAME
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language

_TWICE = ("norm_m", "unit_m", "unit_rows", "unit_columns", "clip_m")
"""A sum of squares, and a division of each element."""


def cost(program: Program, language: Language, options: Options, role: Role = Role.SEARCH) -> Cost:
    """Parameters of the network, numbers kept between steps, FLOP of a full trial."""
    every = shapes(options, options.units(role))
    state = sum(state_floats(program, language, shape) for shape in every)
    rule = sum(rule_flop(program, shape) for shape in every)
    parameters = sum(rows * columns for rows, columns in every)
    return Cost(parameters, state, float(options.steps * (rule + gradient_flop(options, every))))


def state_floats(program: Program, language: Language, shape: Shape) -> int:
    """Numbers that a rule keeps for a parameter, beside what never changes after the setup."""
    changed = {one.out for one in program.parts[-1]}
    kept = kept_registers(program, language) & changed
    return sum(shape[0] * shape[1] if language.kinds[name] == "m" else 1 for name in kept)


def rule_flop(program: Program, shape: Shape) -> int:
    """Of one update of a parameter; any function of one element counts as one."""
    return sum(_flop(one.operation, shape) for one in program.parts[-1])


def _flop(name: str, shape: Shape) -> int:
    elements, less = shape[0] * shape[1], min(shape)
    if name in ("const", "copy_m"):
        return 0
    if name == "orthogonal_m":
        products = 2 * less * elements + 2 * less**3 + 2 * less * elements
        return ROUNDS * (products + 2 * less**2 + 2 * elements) + 4 * elements
    if name == "interp_m":
        return 3 * elements
    one = BY_NAME[name]
    if "m" not in one.result + one.operands:
        return 1
    return elements * (2 if name in _TWICE else 1)
