"""What a program costs by construction."""

from __future__ import annotations

from novum.arenas.programs.options import Options
from novum.core.model.candidate import Cost
from novum.core.model.trial import Role
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.program import Program
from novum.symbolic.program_language import Language


def cost(program: Program, language: Language, options: Options) -> Cost:
    """Numbers that it keeps from example to example, its parameters, and FLOP of one life while searching."""
    features, examples = options.size(Role.SEARCH)
    once, predict, learn = (flop(part, features) for part in program.parts)
    steps = examples + options.scored
    state = state_floats(program, language, features)
    return Cost(state, state, float(once + steps * predict + examples * learn))
