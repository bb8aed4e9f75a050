"""What a rule costs by construction."""

from __future__ import annotations

from novum.arenas.regret.language import language
from novum.arenas.regret.options import Options
from novum.core.model.candidate import Cost
from novum.symbolic.costs import flop, state_floats
from novum.symbolic.program import Program

MOVES = 2
"""Of an information set of Kuhn poker."""


def cost(program: Program, options: Options) -> Cost:
    """Numbers kept for each information set of two moves, its parameters, and FLOP for it over all iterations."""
    state = state_floats(program, language(options), MOVES)
    return Cost(state, state, float(options.iterations * sum(flop(part, MOVES) for part in program.parts)))
