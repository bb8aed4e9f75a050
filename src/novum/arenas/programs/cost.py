"""What a program costs by construction."""

from __future__ import annotations

from novum.arenas.programs.options import Options
from novum.core.model.candidate import Cost
from novum.core.model.trial import Role
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.language import Language
from novum.symbolic.program import Program


def cost(program: Program, language: Language, options: Options) -> Cost:
    """Numbers that it keeps from example to example, and FLOP of one life while searching; it has no parameters."""
    features, examples = options.size(Role.SEARCH)
    once, predict, learn = (flop(part, features) for part in program.parts)
    steps = examples + options.scored
    state = state_floats(program, language, features)
    return Cost(0, state, float(once + steps * predict + examples * learn))
