"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting
from novum.core.model.trial import Role

REGIMES = ("plain", "correlated", "overwritten", "noisy", "drifting", "small")


@dataclass(frozen=True, slots=True)
class Part:
    """What differs between search, gate and final trials. width, values: factors on those of the search.

    cells: loads are the midpoints of so many equal parts of (0, most]. shared: share of a key's squared length that is
    common to all keys. again: share of keys given a new value. noise: writes of noise per pair. kept: correlation of a
    key with itself after it drifted.
    """

    width: float
    values: float
    cells: int
    most: float
    shared: float
    again: float
    noise: float
    kept: float


PARTS = {
    Role.SEARCH: Part(1.0, 1.0, 4, 2.0, 0.3, 0.5, 0.5, 0.7),
    Role.GATE: Part(3.0, 3.0, 5, 2.0, 0.25, 0.6, 0.4, 0.75),
    Role.FINAL: Part(4.0, 4.0, 5, 2.4, 0.35, 0.4, 0.6, 0.6),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How large a memory is, what is scored, and what a rule may consist of."""

    size: Annotated[int, Ge(4), Le(64)] = 8
    """Numbers of a key and of a value while searching, d; confirmations have three or four times as many."""
    values: Annotated[int, Ge(4), Le(1024)] = 32
    """Of the codebook, while searching; confirmations have more."""
    regime: Literal["all", "plain", "correlated", "overwritten", "noisy", "drifting", "small", "rewritten"] = "all"
    """One of them; all are those of `REGIMES`."""
    score: Literal["worst", "mean"] = "worst"
    """Of the regimes."""
    state: Literal["d2", "2d2"] = "d2"
    """Numbers that a rule may keep: one matrix or two, and 2 d + 8 more."""
    operations: str = "few"
    """Names joined by +; few stands for those of the published rules, more for nearly all."""
    write_flop: Annotated[int, Ge(0), Le(1000)] = 0
    """The most that a write may cost, in units of d^2; 0: anything. The delta rule takes 4 and 2 / d more."""
    setup: Annotated[int, Ge(0), Le(20)] = 6
    write: Annotated[int, Ge(1), Le(40)] = 16
    read: Annotated[int, Ge(1), Le(20)] = 4
    shuffled: bool = False
    """Answers that have nothing to do with what was written: the negative control of the preflight."""

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    @property
    def regimes(self) -> tuple[str, ...]:
        """Those that are scored."""
        return REGIMES if self.regime == "all" else (self.regime,)

    def width(self, role: Role) -> int:
        """Numbers of a key in a trial of this role."""
        return round(self.size * PARTS[role].width)

    def codebook(self, role: Role) -> int:
        """Values that can be written in a trial of this role."""
        return round(self.values * PARTS[role].values)
