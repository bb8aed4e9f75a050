"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting
from novum.core.model.trial import Role

TaskName = Literal["linear", "teacher", "component", "digits", "drift", "scales", "context", "functions"]

GROWTH = {Role.SEARCH: (1, 1), Role.GATE: (4, 10), Role.FINAL: (8, 20)}
"""How many times the features and the examples of the search a trial of each role has."""
SHORT = ("scales", "context", "functions")
"""Tasks in which everything learns in the end, so that longer lives would show nothing: twice the examples at most."""
CONTEXTS = ("context", "functions")
"""Tasks whose Bayes risk is known."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is learned, from how much, and what a program may consist of."""

    task: TaskName = "linear"
    features: Annotated[int, Ge(2), Le(128)] = 4
    """Numbers of an example, while searching; confirmations have four times as many."""
    examples: Annotated[int, Ge(10), Le(100_000)] = 100
    """Seen once each, while searching; confirmations have ten times as many (scales, context, functions: twice)."""
    scored: Annotated[int, Ge(5), Le(1000)] = 20
    """Examples afterwards, on which predictions are scored."""
    operations: str = "few"
    """Operations by name, joined by +; few stands for those of the demonstration of AutoML-Zero, vectors for all on
    scalars and vectors, matrices for all. With a minus before it a name is left out: "vectors - exp_s".
    """
    setup: Annotated[int, Ge(0), Le(20)] = 4
    """Instructions that run once, at most."""
    predict: Annotated[int, Ge(1), Le(20)] = 2
    learn: Annotated[int, Ge(0), Le(30)] = 8
    shuffled: bool = False
    """Labels that have nothing to do with the examples: the negative control of the preflight."""

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    def size(self, role: Role) -> tuple[int, int]:
        """Features and examples of a trial of this role."""
        wider, longer = GROWTH[role]
        longer = min(longer, 2) if self.task in SHORT else longer
        return self.features * wider, self.examples * longer
