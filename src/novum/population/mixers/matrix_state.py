"""The linear family: a matrix of state per head, forgotten and written to by every token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from novum.population.mixers.mixer_core import Channels, chunks, scan_products
from novum.population.network_parameters import Parameter, Parameters, log_uniform_logits

Write = Literal["hebb", "delta", "longhorn", "preconditioned", "separate"]
Decay = Literal["none", "constant", "scalar", "vector"]
Feature = Literal["identity", "elu1", "silu", "relu", "taylor2"]


@dataclass(frozen=True, slots=True)
class MatrixState:
    """S_t = S_{t-1} diag(a_t) + b_t (v_t - S_{t-1} diag(a_t) p_t) r_t^T, o_t = S_t q_t: the linear family.

    `write`: hebb (p = 0, r = k, b = 1; arXiv 2006.16236), delta (p = r = k; 2406.06484), longhorn (2407.14207: decay
    1 - d k^2 per channel and r = d k, with d = b / (1 + b |k|^2)), preconditioned (p = k, r = D k / (k^T D k), D the
    inverse running second moment of the keys; 2604.21100), separate (erase and write keys of their own; 2503.14456).
    `decay`: a constant per head (2307.08621), or from the token per head (2405.21060) or per channel (2312.06635).
    `beta`: upper end of the range of b (2411.12537). `steps`: writes per token (2502.10297). `rotating`: q and k turned
    by an angle that the tokens add up (Mamba-3, 2603.15569). `normalised`: o_t divided by max(|sum of weights|, 1).
    `feature`: map of q and k; taylor2: 1, x, x (x) x / sqrt 2 (Based, 2402.18668). `unit_keys`: both of unit length.
    """

    heads: int
    d_key: int
    width: int
    feature: Feature = "identity"
    unit_keys: bool = False
    write: Write = "hebb"
    decay: Decay = "none"
    beta: int = 1
    steps: int = 1
    rotating: bool = False
    normalised: bool = False

    convolved = ("q", "k", "v")

    @property
    def unit_output(self) -> bool:
        return not self.normalised

    @property
    def corrects(self) -> bool:
        """Whether writes correct what is stored, so that a triangular system is solved."""
        return self.write in ("delta", "preconditioned", "separate")

    @property
    def substeps(self) -> int:
        """Updates of the state per token."""
        return self.steps * (2 if self.write == "separate" else 1)

    @property
    def features(self) -> int:
        """Key channels per head after the feature map."""
        return 1 + self.d_key + self.d_key**2 if self.feature == "taylor2" else self.d_key

    @property
    def decay_width(self) -> int:
        """Numbers per token that the decay is made of."""
        return {"vector": self.heads * self.features, "scalar": self.heads}.get(self.decay, 0)

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        out = {"q": inner, "k": inner * self.steps, "v": self.width * self.steps}
        if self.write == "separate":
            out |= {"erase": inner * self.steps, "rate": inner * self.steps}
        elif self.write != "hebb":
            out |= {"beta": self.heads * self.steps}
        out |= {"decay": self.decay_width} if self.decay_width else {}
        return out | ({"angle": self.heads * (self.d_key // 2)} if self.rotating else {})

    @property
    def parameters(self) -> Parameters:
        if self.decay == "none":
            return {}
        size = self.decay_width or self.heads
        return {"decay_bias": Parameter((size,), log_uniform_logits(1 / 400, 1 / 8))}

    def state_floats(self, length: int) -> int:
        del length
        per_head = self.features * (self.width // self.heads + (1 if self.normalised else 0))
        per_head += self.d_key // 2 if self.rotating else 0
        return self.heads * (per_head + (self.features if self.write == "preconditioned" else 0))

    def products(self, length: int, rows: int) -> int:
        value = self.width // self.heads + (1 if self.normalised else 0)
        return self.heads * scan_products(length, rows, self.features, value, self.substeps, self.corrects)

    def solves(self, length: int) -> int:
        if not self.corrects:
            return 0
        value = self.width // self.heads + (1 if self.normalised else 0)
        return self.heads * sum(size * size for size in chunks(length * self.substeps)) * value // 2
