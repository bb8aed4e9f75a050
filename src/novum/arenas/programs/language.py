"""The language of the arena's programs."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.programs.options import Options
from novum.symbolic.chosen_operations import chosen_operations
from novum.symbolic.operations import BY_NAME, OPERATIONS
from novum.symbolic.program_language import Component, Language

FEW = ("const", "dot", "sub_s", "mul_s", "scale_v", "add_v")
"""Of the demonstration of AutoML-Zero."""
SMALL = (*FEW, "div_s", "norm_v", "sub_v", "step_s", "sign_s")
"""With no others than these, a program has four scalars and three vectors, as in that demonstration."""
GROUPS = {
    "few": FEW,
    "vectors": tuple(one.name for one in OPERATIONS if "m" not in one.result + one.operands),
    "matrices": tuple(one.name for one in OPERATIONS),
}


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers: x the example, y its label, p the prediction, w what is scored as a direction; others are free.

    W, and w where it is scored, begin at random values, all others at zero. Raises StudyError for operations that do
    not exist.
    """
    names = chosen_operations(options.operations, GROUPS, OPERATIONS)
    direction, few = options.task == "component", not set(names) - set(SMALL)
    matrices = any("m" in BY_NAME[name].result + BY_NAME[name].operands for name in names)
    return Language(
        ("y", "p", "a", "b") if few else ("y", "p", "a", "b", "c"),
        ("x", "w", "u") if few else ("x", "w", "u", "v"),
        ("W", "U") if matrices else (),
        (
            Component("setup", options.setup, once=True),
            Component("predict", options.predict, ("x",), ("w",) if direction else ("p",)),
            Component("learn", options.learn, ("y",)),
        ),
        names,
        (*(("W",) if matrices else ()), *(("w",) if direction else ())),
    )
