"""A matrix of state, trained on mini-batches of tokens."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import MINI_BATCH, Channels, chunks
from novum.population.network_parameters import Parameters


@dataclass(frozen=True, slots=True)
class MiniBatchState:
    """S_t = S_{t-1} + b_t (v_t - S_{t'} k_t) k_t^T, t' the start of the token's mini-batch (TTT-Linear, 2407.04620).

    Without the paper's layer norm and residual inside the learner; one learning rate b in (0, 1) per head and token.
    """

    heads: int
    d_key: int
    width: int

    convolved = ("q", "k", "v")
    unit_output = True

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        return {"q": inner, "k": inner, "v": self.width, "beta": self.heads}

    @property
    def parameters(self) -> Parameters:
        return {}

    def state_floats(self, length: int) -> int:
        del length
        return 2 * self.d_key * self.width

    def products(self, length: int, rows: int) -> int:
        del rows
        value, sizes = self.width // self.heads, chunks(length, MINI_BATCH)
        inside = sum(c * c * (self.d_key + value) for c in sizes)
        carried = 2 * sum(sizes[1:]) + sum(sizes[:-1])
        return self.heads * (inside + self.d_key * value * carried)

    def solves(self, length: int) -> int:
        del length
        return 0
