"""The language of memory rules, and how much of it a study allows."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.memory.options import Options
from novum.symbolic.chosen_operations import chosen_operations
from novum.symbolic.operations import OPERATIONS
from novum.symbolic.program_language import Component, Language

FEW = (
    "const add_s sub_s mul_s div_s sqrt_s dot add_v sub_v mul_v div_v add_m sub_m scale_v scale_m "
    "outer eye matvec vecmat"
)
"""Of the published rules, and their inverses."""
LEFT_OUT = {"matmul", "mul_m", "transpose"}
"""Too dear."""
GROUPS = {"few": tuple(FEW.split()), "more": tuple(one.name for one in OPERATIONS if one.name not in LEFT_OUT)}


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers: k and v what is written, q what is asked, o the answer; all others are free and begin at zero."""
    return Language(
        ("a", "b", "c", "e"),
        ("k", "v", "q", "o", "u", "w"),
        ("S", "P", "U"),
        (
            Component("setup", options.setup, once=True),
            Component("write", options.write, ("k", "v")),
            Component("read", options.read, ("q",), ("o",)),
        ),
        chosen_operations(options.operations, GROUPS, OPERATIONS),
    )
