"""The language of memory rules, and how much of it a study allows."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.memory.options import Options
from novum.symbolic.language import Component, Language
from novum.symbolic.operations import OPERATIONS

LEFT_OUT = {"matmul", "exp_s", "min_s", "mul_m", "columns_m", "norm_m", "transpose"}
"""Too dear, or of no use in any of the published rules."""


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
        tuple(one.name for one in OPERATIONS if one.name not in LEFT_OUT),
    )
