"""What a rule costs by construction, and what a study admits."""

from __future__ import annotations

from novum.arenas.memory.language import language
from novum.arenas.memory.options import Options
from novum.core.model.candidate import Cost
from novum.core.model.errors import StudyError
from novum.core.model.trial import Role
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.program import Program

VECTORS, SCALARS = 2, 8
"""That may be kept beside the matrices."""


def most_state(options: Options, size: int) -> int:
    """Numbers that a rule may keep."""
    matrices = {"d2": 1, "2d2": 2}[options.state]
    return matrices * size**2 + VECTORS * size + SCALARS


def hold_bounds(program: Program, options: Options) -> None:
    """Raises StudyError where a rule keeps more, or a write costs more, than the study allows."""
    size = options.size
    state, most = state_floats(program, language(options), size), most_state(options, size)
    if state > most:
        raise StudyError(
            f"the rule keeps {state} numbers from write to write; state = {options.state!r} allows {most} at d = {size}"
        )
    written, allowed = flop(program.parts[1], size), options.write_flop * size**2
    if options.write_flop and written > allowed:
        raise StudyError(f"a write takes {written} FLOP; write_flop = {options.write_flop} allows {allowed}")


def cost(program: Program, options: Options) -> Cost:
    """Numbers that it keeps, its parameters, and FLOP of d writes and d reads while searching.

    Raises StudyError as `hold_bounds`.
    """
    hold_bounds(program, options)
    size = options.width(Role.SEARCH)
    state = state_floats(program, language(options), size)
    once, write, read = (flop(part, size) for part in program.parts)
    return Cost(state, state, float(once + size * (write + read)))
