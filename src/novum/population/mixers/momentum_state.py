"""A matrix of state with momentum."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import Channels, chunks
from novum.population.network_parameters import Parameters, vector


@dataclass(frozen=True, slots=True)
class MomentumState:
    """M_t = (1 - a_t) M_{t-1} + m_t with m_t = h_t m_{t-1} + b_t (v_t - M_{t-1} k_t) k_t^T (Titans, arXiv 2501.00663).

    With a linear memory instead of the paper's MLP, so that it has an exact chunked form. a, h, b: sigmoids of inputs.
    """

    heads: int
    d_key: int
    width: int

    convolved = ("q", "k", "v")
    unit_output = True

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        return {
            "q": inner,
            "k": inner,
            "v": self.width,
            "beta": self.heads,
            "decay": self.heads,
            "momentum": self.heads,
        }

    @property
    def parameters(self) -> Parameters:
        return {"decay_bias": vector(self.heads, -4.0), "momentum_bias": vector(self.heads, 0.0)}

    def state_floats(self, length: int) -> int:
        del length
        return 2 * self.d_key * self.width

    def products(self, length: int, rows: int) -> int:
        del rows
        value, sizes = self.width // self.heads, chunks(length)
        # Two products of keys, one of coefficients with itself, outputs; then reads and writes of both states.
        inside = sum(c * c * (2 * self.d_key + value) + c * c * c for c in sizes)
        carried = 4 * sum(sizes[1:]) + 2 * sum(sizes[:-1])
        vectors = sum(c * c for c in sizes[1:])
        return self.heads * (inside + self.d_key * value * carried + vectors)

    def solves(self, length: int) -> int:
        return self.heads * sum(c * c for c in chunks(length)) * (self.width // self.heads) // 2
