"""Ridge regression of values on keys at every token."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import Channels, chunks, scan_products
from novum.population.network_parameters import Parameter, Parameters, log_uniform_logits, vector


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """o_t = H_t (G_t + L)^-1 q_t, H_t = f H_{t-1} + b v_t k_t^T, G_t = f G_{t-1} + b k_t k_t^T (MesaNet, 2506.05233).

    Ridge regression of values on keys with forgetting, solved exactly at every token; L a learned diagonal >= .05.
    """

    heads: int
    d_key: int
    width: int

    convolved = ("q", "k", "v")
    unit_output = True

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        return {"q": inner, "k": inner, "v": self.width, "beta": self.heads, "decay": self.heads}

    @property
    def parameters(self) -> Parameters:
        bias = Parameter((self.heads,), log_uniform_logits(1 / 400, 1 / 8))
        return {"decay_bias": bias, "ridge": vector(self.heads * self.d_key, 0.0)}

    def state_floats(self, length: int) -> int:
        del length
        return self.d_key * self.width + self.heads * self.d_key**2

    def products(self, length: int, rows: int) -> int:
        value, sizes = self.width // self.heads, chunks(length)
        wanted = rows if len(sizes) == 1 else length
        scan = scan_products(length, rows, self.d_key, value, 1, corrects=False)
        moments = sum(c * r for c, r in zip(sizes, [rows] if len(sizes) == 1 else sizes, strict=True)) * self.d_key**2
        moments += sum(sizes[:-1]) * self.d_key**2
        # An LU solve of K unknowns: K^3 / 3 + K^2 multiply-adds.
        return self.heads * (scan + moments + wanted * (self.d_key**3 // 3 + self.d_key**2))

    def solves(self, length: int) -> int:
        del length
        return 0
