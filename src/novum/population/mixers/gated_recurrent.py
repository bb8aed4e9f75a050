"""The classic gated recurrent networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from novum.population.mixers.mixer_core import Channels
from novum.population.network_parameters import Floats, Initial, Parameter, Parameters, normal


@dataclass(frozen=True, slots=True)
class GatedRecurrent:
    """GRU (arXiv 1406.1078) or LSTM (Hochreiter and Schmidhuber 1997, with forget gates): one vector of state."""

    width: int
    kind: Literal["gru", "lstm"] = "gru"

    heads = 1
    convolved = ()
    unit_output = False

    @property
    def gates(self) -> int:
        """Vectors that a token and the last output are projected to."""
        return 3 if self.kind == "gru" else 4

    @property
    def channels(self) -> Channels:
        return {"gates": self.gates * self.width}

    @property
    def parameters(self) -> Parameters:
        size = self.width
        recurrent = Parameter((size, self.gates * size), normal(size**-0.5), decayed=True)
        return {"recurrent": recurrent, "bias": Parameter((self.gates * size,), _gate_bias(self.kind, size))}

    def state_floats(self, length: int) -> int:
        del length
        return self.width * (1 if self.kind == "gru" else 2)

    def products(self, length: int, rows: int) -> int:
        del rows
        return length * self.width * self.gates * self.width

    def solves(self, length: int) -> int:
        del length
        return 0


def _gate_bias(kind: str, size: int) -> Initial:
    """Zero, but 1 for the forget gate of an LSTM (Jozefowicz et al., ICML 2015)."""

    def draw(_: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        out = np.zeros(shape, dtype=np.float32)
        if kind == "lstm":
            out[size : 2 * size] = 1.0
        return out

    return draw
