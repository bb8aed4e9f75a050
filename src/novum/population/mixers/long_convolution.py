"""A gated convolution as long as the sequence."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import Channels
from novum.population.network_parameters import Parameter, Parameters, constant, evenly, normal


@dataclass(frozen=True, slots=True)
class LongConvolution:
    """o = q * (h (*) (k * v)), h a causal filter as long as the sequence (Hyena, arXiv 2302.10866).

    h comes from a small network of sines of the lag, times an exponential window per channel; one recurrence (order 2).
    """

    width: int
    hidden: int = 16

    heads = 1
    convolved = ("q", "k", "v")
    unit_output = False

    @property
    def channels(self) -> Channels:
        return {"q": self.width, "k": self.width, "v": self.width}

    @property
    def parameters(self) -> Parameters:
        size = self.hidden
        return {
            "filter_in": Parameter((9, size), normal(0.5), decayed=True),
            "filter_out": Parameter((size, self.width), normal(size**-0.5), decayed=True),
            "filter_decay": Parameter((self.width,), evenly(-6.0, -1.0)),
            "skip": Parameter((self.width,), constant(1.0)),
        }

    def state_floats(self, length: int) -> int:
        return length * self.width

    def products(self, length: int, rows: int) -> int:
        return rows * length * self.width + length * self.hidden * (9 + self.width)

    def solves(self, length: int) -> int:
        del length
        return 0
