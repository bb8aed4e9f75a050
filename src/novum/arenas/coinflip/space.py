"""Coins and their true chances. The effects are known exactly, so every verdict on them can be checked.

Unit of the comments: one sd of the difference of two runs of 100 flips of a fair coin, 0.0707.
"""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import Gene, Genome, Setting, Space
from novum.core.model.errors import StudyError

LEVELS = 6
SHADES = 64

EFFECTS: dict[str, tuple[float, ...]] = {
    "metal": (0.0, 0.0354, 0.0, -0.0354, 0.0707, 0.0),  # 0.5 sd, -0.5 sd, 1 sd
    "edge": (0.0, -0.0354, 0.0, 0.0, 0.0354, 0.0),
    "spin": (0.0, 0.0, 0.1414, -0.0707, 0.0, 0.0),  # 2 sd, -1 sd
}

SPACE = Space(
    genes=(
        *(Gene(name, tuple(range(LEVELS)), f"changes the chance of heads: {name}") for name in EFFECTS),
        Gene("shade", tuple(range(SHADES)), "changes nothing at all"),
    )
)


@dataclass(frozen=True)
class Options:
    """world: `mixed` (EFFECTS hold) or `null` (every coin is fair). flips: per trial."""

    world: str = "mixed"
    flips: int = 100


def options(values: Setting) -> Options:
    """The options of a study. Raises StudyError with the allowed values."""
    if unknown := sorted(set(values) - {"world", "flips"}):
        raise StudyError(f"options.{unknown[0]}: unknown; coinflip has world and flips")
    world, flips = values.get("world", "mixed"), values.get("flips", 100)
    if world not in ("mixed", "null"):
        raise StudyError(f"options.world: cannot be {world!r}; choose mixed or null")
    if not isinstance(flips, int) or isinstance(flips, bool) or not 1 <= flips <= 1_000_000:
        raise StudyError(f"options.flips: cannot be {flips!r}; choose a whole number from 1 to 1000000")
    return Options(str(world), flips)


def chance(genome: Genome, world: str) -> float:
    """The true chance of heads."""
    if world == "null":
        return 0.5
    return 0.5 + sum(levels[int(genome[name])] for name, levels in EFFECTS.items())
