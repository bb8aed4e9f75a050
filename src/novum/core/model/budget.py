"""Budgets and what is used of them: of the lab, of authors, of single hypotheses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le, Lt

from novum.core.model.identity import fits


@dataclass(frozen=True, slots=True)
class Spent:
    """Used so far, or wanted. Seconds are of CPU, of the campaign's wall, and of wall times GPUs held.

    tokens and money (US dollars): of models; disk_bytes: of artefacts. What is set aside for work that has not ended
    counts as used.
    """

    trials: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    tokens: int = 0
    money: float = 0.0
    gpu_seconds: float = 0.0
    disk_bytes: int = 0
    holdout_queries: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.trials + other.trials,
            self.cpu_seconds + other.cpu_seconds,
            self.wall_seconds + other.wall_seconds,
            self.tokens + other.tokens,
            self.money + other.money,
            self.gpu_seconds + other.gpu_seconds,
            self.disk_bytes + other.disk_bytes,
            self.holdout_queries + other.holdout_queries,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A budget of somebody within the lab: whose it is in words, its bounds, and what is used of it."""

    name: str
    budget: Budget
    spent: Spent


_STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}


LARGEST = 2**53 - 1
"""The largest whole number that JSON keeps exactly."""


Level = Annotated[float, Ge(1e-9), Lt(1)]


Count = Annotated[int, Ge(1), Le(1_000_000)]


@dataclass(frozen=True)
class Budget:
    """What may be used in total; None means unlimited. A bound on trials or time must be given to run a campaign.

    tokens and money (US dollars): of requests to models.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    wall_seconds: Annotated[float, Gt(0)] | None = None
    cpu_seconds: Annotated[float, Gt(0)] | None = None
    trials: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    tokens: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    money: Annotated[float, Gt(0)] | None = None
    gpu_seconds: Annotated[float, Gt(0)] | None = None
    """Wall seconds of trials times the GPUs they hold."""
    disk_bytes: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    """Of artefacts that are kept."""
    holdout_queries: Annotated[int, Gt(0), Le(LARGEST)] | None = None
    """Questions to the final data."""

    @property
    def bounded(self) -> bool:
        """Whether work is bounded, so that a campaign ends."""
        return any(bound is not None for bound in (self.wall_seconds, self.cpu_seconds, self.trials))

    @property
    def any(self) -> bool:
        """Whether any bound is set."""
        return self != Budget()


@dataclass(frozen=True)
class AuthorBudget:
    """What all authors together may use whose name fits `author`, in which * and ? are wild cards."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    author: str
    budget: Budget


@dataclass(frozen=True)
class LevelSettings:
    """Budgets within the lab's: of researchers, people and agents by name, and of each single hypothesis."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    researchers: tuple[AuthorBudget, ...] = ()
    hypothesis: Budget = field(default_factory=Budget)

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return bool(self.researchers) or self.hypothesis.any

    def authors_of(self, author: str) -> list[AuthorBudget]:
        """The budgets that an author's proposals are paid from."""
        return [one for one in self.researchers if fits(author, one.author)]


def budget_text(budget: Budget) -> str:
    """A budget as a study file writes it; empty when unbounded."""
    parts = []
    if budget.wall_seconds is not None:
        parts.append(f"{_decimal(budget.wall_seconds)}s")
    if budget.cpu_seconds is not None:
        parts.append(f"cpu {_decimal(budget.cpu_seconds)}s")
    if budget.trials is not None:
        parts.append(f"{budget.trials} trials")
    return ", ".join(parts)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
