"""Nothing: what is around a core, alone."""

from __future__ import annotations

from dataclasses import dataclass

from novum.population.mixers.mixer_core import Channels
from novum.population.network_parameters import Parameters


@dataclass(frozen=True, slots=True)
class Passing:
    """o_t = v_t: nothing but the short convolution around it mixes tokens."""

    width: int

    heads = 1
    convolved = ("v",)
    unit_output = False

    @property
    def channels(self) -> Channels:
        return {"v": self.width}

    @property
    def parameters(self) -> Parameters:
        return {}

    def state_floats(self, length: int) -> int:
        del length
        return 0

    def products(self, length: int, rows: int) -> int:
        del length, rows
        return 0

    def solves(self, length: int) -> int:
        del length
        return 0
