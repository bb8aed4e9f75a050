"""Gaussian noise of each member from a generator of its own, so that nobody's noise depends on who trains beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from novum.population.streams import stream


class Noise:
    """Streams of noise; `name` tells those of the training from those of instruments."""

    def __init__(self, seeds: Sequence[int], name: str) -> None:
        self.generators = [torch.Generator().manual_seed(_word(seed, name)) for seed in seeds]

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, [P, *shape]."""
        count = math.prod(shape)
        each = [torch.randn(count, generator=generator) for generator in self.generators]
        return torch.stack(each).view(len(each), *shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform integers below `high`, [P, *shape]."""
        each = [torch.randint(high, shape, generator=generator) for generator in self.generators]
        return torch.stack(each)


def _word(seed: int, name: str) -> int:
    return int(stream(seed, f"local-learning/noise/{name}").integers(2**62))
