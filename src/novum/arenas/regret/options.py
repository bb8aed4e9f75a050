"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting


@dataclass(frozen=True, slots=True)
class Options:
    """How long a rule plays against itself, and what it may consist of."""

    iterations: Annotated[int, Ge(2), Le(10_000)] = 200
    alternating: bool = True
    """The second player answers the new strategy of the first; otherwise both are updated at once."""
    games: Annotated[int, Ge(0), Le(8)] = 2
    """Random games of a search trial, beside Kuhn poker; gate trials have as many larger ones, final trials one."""
    operations: str = "more"
    """Names joined by +; few stands for those of the published rules, more for nearly all on scalars and vectors."""
    update: Annotated[int, Ge(1), Le(30)] = 12
    policy: Annotated[int, Ge(1), Le(20)] = 4
    average: Annotated[int, Ge(1), Le(20)] = 4
    shuffled: bool = False
    """Scores are those of strategies drawn at random: the negative control of the preflight."""

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]
