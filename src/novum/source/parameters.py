"""Typed parameters of a program: values that its files declare, each with the range in which others are tried.

A candidate stays a source tree: another value of a parameter is another literal at the place that declares it, so that
a finding is a patch of the script and every researcher works on one space.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import MinLen

from novum.core.model.candidate import Scalar

_STRICT: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True)
class Parameter:
    """One value that a program declares, and the values it may take: `low`..`high`, or `choices`.

    at: the file and the place in it, "train.py: --lr" or "config.yaml: optim.lr". log: what is as likely twice as
    large is as likely half as large. cost: a run takes about (new / old) ** cost times as long, 1.0 for what says how
    long it is, such as a number of steps. Raises ValueError for a range that is none.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: Annotated[str, MinLen(1)]
    at: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Scalar, ...] = ()
    cost: float = 0.0

    def __post_init__(self) -> None:
        if ": " not in self.at:
            raise ValueError(f"{self.name}: at names a file and a place in it, like 'train.py: --lr'")
        if self.choices:
            if self.low is not None or self.high is not None:
                raise ValueError(f"{self.name}: give either low and high, or choices")
        elif self.low is None or self.high is None or not self.low < self.high:
            raise ValueError(f"{self.name}: give low and high, the lower one first, or choices")
        elif self.log and self.low <= 0:
            raise ValueError(f"{self.name}: on the log scale low is above 0")

    @property
    def path(self) -> str:
        """The file that declares it."""
        return self.at.partition(": ")[0]

    @property
    def place(self) -> str:
        """Where in the file."""
        return self.at.partition(": ")[2]

    def admits(self, value: Scalar) -> bool:
        """Whether a value may be tried."""
        if self.choices:
            return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.choices)
        assert self.low is not None and self.high is not None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= float(value) <= self.high

    def shaped(self, value: float) -> Scalar:
        """A point of the range as it is written: whole where the parameter is, else with four digits."""
        return round(value) if self.integer else float(f"{value:.4g}")

    def near(self, value: Scalar, rng: random.Random) -> Scalar:
        """A value not far from another one: a neighbour among ordered choices, a step of a third of the range."""
        if self.choices:
            return self._neighbour(value, rng)
        assert self.low is not None and self.high is not None
        at, low, high = (math.log(x) if self.log else x for x in (_bounded(value, self), self.low, self.high))
        moved = at + rng.gauss(0.0, (high - low) * rng.choice((0.05, 0.15, 0.3)))
        moved = min(high, max(low, moved))
        new = self.shaped(math.exp(moved) if self.log else moved)
        if self.integer and new == value:
            new = round(float(value)) + rng.choice((-1, 1))
            new = min(math.floor(self.high), max(math.ceil(self.low), new))
        return new

    def _neighbour(self, value: Scalar, rng: random.Random) -> Scalar:
        others = [one for one in self.choices if one != value or isinstance(one, bool) != isinstance(value, bool)]
        ordered = all(isinstance(one, int | float) and not isinstance(one, bool) for one in self.choices)
        if not others:
            return value
        if ordered and isinstance(value, int | float):
            others.sort(key=lambda one: abs(math.log((float(one) + 1e-9) / (float(value) + 1e-9))) if float(one) > 0
                        and value > 0 else abs(float(one) - value))  # fmt: skip
            return rng.choice(others[:2])
        return rng.choice(others)


def _bounded(value: Scalar, one: Parameter) -> float:
    assert one.low is not None and one.high is not None
    return min(one.high, max(one.low, float(value)))
