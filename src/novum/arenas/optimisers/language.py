"""The language of update rules: registers of the shape of a parameter, and numbers."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.optimisers.options import Options
from novum.symbolic.chosen_operations import chosen_operations
from novum.symbolic.operations import BY_NAME, OPERATIONS, UPDATES, Operation
from novum.symbolic.program_language import Component, Language

SQUARE = ("eye", "transpose", "matmul")
"""Operations of square matrices, which parameters are not."""
FEW = ("copy_m", "interp_m", "add_m", "sign_m", "orthogonal_m")


def _admitted() -> tuple[Operation, ...]:
    return tuple(
        one for one in (*OPERATIONS, *UPDATES) if "v" not in one.result + one.operands and one.name not in SQUARE
    )


ADMITTED = _admitted()
GROUPS = {"few": FEW, "all": tuple(one.name for one in ADMITTED)}


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers: g the gradient, w the parameter, u what is taken from it, t the number of the step; others are free.

    All others begin at zero and keep their values. Without operations on numbers there are none. Raises StudyError.
    """
    names = chosen_operations(options.operations, GROUPS, ADMITTED)
    numbers = any("s" in BY_NAME[name].result + BY_NAME[name].operands for name in names)
    given = ("g", "w", *(("t",) if numbers else ()))
    setup = (Component("setup", options.setup, once=True),) if options.setup else ()
    return Language(
        ("t", "a", "b", "c", "d", "e", "f") if numbers else (),
        (),
        ("g", "w", "u", *"mnpqrs"[: options.memory]),
        (*setup, Component("step", options.instructions, given, ("u",))),
        names,
    )
