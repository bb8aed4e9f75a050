"""A matrix of state with exponential input gates."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import Channels, scan_products
from novum.population.network_parameters import Parameter, Parameters, evenly, vector


@dataclass(frozen=True, slots=True)
class ExponentialGates:
    """S_t = f S_{t-1} + i v k^T, n_t = f n_{t-1} + i k, o_t = S_t q / max(|n_t . q|, 1): mLSTM (arXiv 2405.04517).

    The input gate i is the exponential of an input, the forget gate f a sigmoid.
    """

    heads: int
    d_key: int
    width: int

    convolved = ("q", "k", "v")
    unit_output = True

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        return {"q": inner, "k": inner, "v": self.width, "input": self.heads, "forget": self.heads}

    @property
    def parameters(self) -> Parameters:
        bias = Parameter((self.heads,), evenly(3.0, 6.0))
        return {"forget_bias": bias, "input_bias": vector(self.heads, 0.0)}

    def state_floats(self, length: int) -> int:
        del length
        return self.d_key * self.width + self.heads * (self.d_key + 1)

    def products(self, length: int, rows: int) -> int:
        return self.heads * scan_products(length, rows, self.d_key, self.width // self.heads + 1, 1, corrects=False)

    def solves(self, length: int) -> int:
        del length
        return 0
