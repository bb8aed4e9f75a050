"""The language of the arena's programs."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.programs.options import Options
from novum.core.model.errors import StudyError
from novum.symbolic.language import Component, Language
from novum.symbolic.operations import OPERATIONS

FEW = ("const", "dot", "sub_s", "mul_s", "scale_v", "add_v")
"""Of the demonstration of AutoML-Zero."""


@lru_cache(maxsize=16)
def language(options: Options) -> Language:
    """Registers: x the example, y its label, p the prediction, w what is scored as a direction; others are free.

    W, and w where it is scored, begin at random values, all others at zero. Raises StudyError for operations that are
    hidden and do not exist.
    """
    few = options.operations == "few"
    direction, matrices = options.task == "component", options.operations == "matrices"
    hidden = {name for one in options.hidden.split(",") if (name := one.strip())}
    if wrong := hidden - {one.name for one in OPERATIONS}:
        raise StudyError(f"options.hidden: there is no operation {sorted(wrong)[0]!r}")
    return Language(
        ("y", "p", "a", "b") if few else ("y", "p", "a", "b", "c"),
        ("x", "w", "u") if few else ("x", "w", "u", "v"),
        ("W", "U") if matrices else (),
        (
            Component("setup", options.setup, once=True),
            Component("predict", options.predict, ("x",), ("w",) if direction else ("p",)),
            Component("learn", options.learn, ("y",)),
        ),
        tuple(name for name in _names(options.operations) if name not in hidden),
        (*(("W",) if matrices else ()), *(("w",) if direction else ())),
    )


def _names(chosen: str) -> tuple[str, ...]:
    if chosen == "few":
        return FEW
    return tuple(one.name for one in OPERATIONS if chosen == "matrices" or "m" not in one.result + one.operands)
