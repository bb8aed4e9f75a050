"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting

SMALLEST, LARGEST = 20, 720


@dataclass(frozen=True, slots=True)
class Options:
    """`train`: images that a trial learns from, of the 720 in the pool, before augmentation.

    `noise`: sd of Gaussian noise on every pixel, learned and scored ones alike, in grey levels (images have 0 to 16).
    `shuffled` draws every label anew, so that nothing can be learned: the negative control of the preflight.
    """

    train: Annotated[int, Ge(SMALLEST), Le(LARGEST)] = 150
    noise: Annotated[float, Ge(0), Le(16)] = 0.0
    shuffled: bool = False

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    def rows(self, fidelity: float) -> int:
        """Images that a trial of this `fidelity` learns from."""
        return max(SMALLEST, round(self.train * fidelity))
