"""Softmax attention and its relatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from novum.population.mixers.mixer_core import Channels
from novum.population.network_parameters import Parameters, vector


@dataclass(frozen=True, slots=True)
class Softmax:
    """o_t = sum_i softmax_i(q_t . k_i / sqrt(K) + b_ti) v_i (arXiv 1706.03762).

    `positions`: none, rotary (2104.09864) or alibi (2108.12409). `window`: how many latest tokens are seen, 0 for all.
    `forget`: b_ti = sum of log f over i < s <= t with f = sigmoid of an input (forgetting transformer, 2503.02130).
    `unit_keys`: q and k of unit length and a learned temperature.
    """

    heads: int
    d_key: int
    width: int
    positions: Literal["none", "rotary", "alibi"] = "none"
    window: int = 0
    forget: bool = False
    unit_keys: bool = False

    convolved = ("q", "k", "v")
    unit_output = False

    @property
    def channels(self) -> Channels:
        inner = self.heads * self.d_key
        return {"q": inner, "k": inner, "v": self.width} | ({"forget": self.heads} if self.forget else {})

    @property
    def parameters(self) -> Parameters:
        # A temperature of sqrt(32) makes unit keys as sharp at the start as ordinary ones of 32 channels.
        own = {"temperature": vector(self.heads, 1.7328)} if self.unit_keys else {}
        return own | ({"forget_bias": vector(self.heads, 4.0)} if self.forget else {})

    def state_floats(self, length: int) -> int:
        kept = min(length, self.window) if self.window else length
        return kept * (self.heads * self.d_key + self.width + (self.heads if self.forget else 0))

    def products(self, length: int, rows: int) -> int:
        return rows * length * (self.heads * self.d_key + self.width)

    def solves(self, length: int) -> int:
        del length
        return 0
