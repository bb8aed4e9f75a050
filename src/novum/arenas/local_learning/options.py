"""The settings of the arena that are the same for every trial of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from novum.core.model.candidate import Setting

POOL_ROWS = 720
"""Digits that there are to learn from."""


@dataclass(frozen=True, slots=True)
class Options:
    """Task, length of training, and what is held equal.

    `task`: MNIST-1D (arXiv 2011.14439), the same with its 40 points permuted (which only networks that know of places
    mind), or scikit-learn's digits. `train`: examples to learn from, which are shown again and again; of the digits
    there are 720. `samples`: presentations of an example in one trial, `batch` at a time. `equal`: every rule gets as
    many samples, or as many training FLOP as the baseline takes for them, so that dearer rules see fewer samples.
    `held_out`: scored examples of MNIST-1D, drawn anew for every seed. `backprop` admits backpropagation, which is the
    reference and no answer to the question. `shuffled` draws every label anew, so that nothing can be
    learned: the negative control of the preflight.
    """

    task: Literal["mnist1d", "mnist1d-permuted", "digits"] = "mnist1d"
    train: Annotated[int, Ge(20), Le(100_000)] = 4000
    samples: Annotated[int, Ge(1), Le(100_000_000)] = 32_000
    batch: Annotated[int, Ge(2), Le(1024)] = 32
    held_out: Annotated[int, Ge(1), Le(65536)] = 1000
    equal: Literal["samples", "flop"] = "samples"
    backprop: bool = False
    shuffled: bool = False

    @classmethod
    def taken(cls, given: Setting) -> Options:
        """Those that a trial group carries, which the lab has held to their types."""
        return cls(**given)  # type: ignore[arg-type]

    @property
    def inputs(self) -> int:
        """Numbers that describe an example."""
        return 64 if self.task == "digits" else 40

    @property
    def rows(self) -> int:
        """Examples to learn from."""
        return min(self.train, POOL_ROWS) if self.task == "digits" else self.train
