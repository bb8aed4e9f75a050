"""The parameters of one member by name, their initial values, and where they stand in a population's flat leaf [P, n].

Nothing here imports torch, so that sizes and costs are known in processes that never train.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from novum.population.streams import stream

Floats = npt.NDArray[np.float32]
Shape = tuple[int, ...]
Initial = Callable[[np.random.Generator, Shape], Floats]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor of a member. `decayed`: whether weight decay acts on it (matrices yes; gains, biases and gates no).

    `parts`: it consists of these, side by side along the last axis; each of them is drawn by its own name.
    """

    shape: Shape
    initial: Initial
    decayed: bool = False
    parts: Mapping[str, Parameter] | None = None

    @property
    def size(self) -> int:
        """Number of its floats."""
        return math.prod(self.shape)

    def draw(self, seed: int, name: str) -> Floats:
        """Its initial values, which depend on seed, name and shape alone."""
        if self.parts is None:
            return self.initial(stream(seed, f"init/{name}"), self.shape)
        drawn = [one.draw(seed, f"{name}.{part}") for part, one in self.parts.items()]
        whole: Floats = np.concatenate(drawn, axis=-1)
        return whole


def side_by_side(parts: Mapping[str, Parameter]) -> Parameter:
    """One tensor of several that agree in all axes but the last."""
    first = next(iter(parts.values()))
    width = sum(one.shape[-1] for one in parts.values())
    return Parameter((*first.shape[:-1], width), constant(0.0), first.decayed, parts)


def constant(value: float) -> Initial:
    """Every entry is `value`."""
    return lambda _, shape: np.full(shape, value, dtype=np.float32)


def normal(deviation: float) -> Initial:
    """Independent Gaussians with mean 0."""
    return lambda rng, shape: rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


def log_uniform_logits(low: float, high: float) -> Initial:
    """Logits of rates between `low` and `high` whose logarithms are uniform."""

    def draw(rng: np.random.Generator, shape: Shape) -> Floats:
        rates = np.exp(rng.uniform(math.log(low), math.log(high), size=shape))
        logits: Floats = np.log(rates / (1 - rates)).astype(np.float32)
        return logits

    return draw


def evenly(low: float, high: float) -> Initial:
    """Evenly spaced from `low` to `high` over the entries, in order."""
    return lambda _, shape: np.linspace(low, high, math.prod(shape), dtype=np.float32).reshape(shape)


def matrix(inputs: int, outputs: int, gain: float = 1.0) -> Parameter:
    """A matrix [inputs, outputs] whose products have the variance of their inputs times `gain` squared."""
    return Parameter((inputs, outputs), normal(gain / math.sqrt(inputs)), decayed=True)


def vector(size: int, value: float) -> Parameter:
    """A vector of equal entries, without weight decay: a gain or a bias."""
    return Parameter((size,), constant(value))


Parameters = Mapping[str, Parameter]


@dataclass(frozen=True)
class Layout:
    """Parameters in the order of the leaf."""

    parameters: Parameters

    @cached_property
    def size(self) -> int:
        """n, the floats of one member."""
        return sum(one.size for one in self.parameters.values())

    def initial(self, seeds: Sequence[int]) -> Floats:
        """Initial leaf [P, n], a row per member."""
        drawn = ([one.draw(seed, name).reshape(-1) for name, one in self.parameters.items()] for seed in seeds)
        return np.stack([np.concatenate(parts) for parts in drawn])

    def decay_mask(self) -> Floats:
        """1 where weight decay acts and 0 elsewhere, [n]."""
        parts = [np.full(one.size, float(one.decayed), dtype=np.float32) for one in self.parameters.values()]
        return np.concatenate(parts)
