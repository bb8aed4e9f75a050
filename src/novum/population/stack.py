"""A stack of token mixers as data: layers, what stands between them, and what it all costs. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from novum.population.mixers.mixer_core import Core
from novum.population.network_parameters import (
    Layout,
    Parameter,
    Parameters,
    constant,
    matrix,
    normal,
    side_by_side,
    vector,
)

Channel = Literal["none", "mlp", "swiglu"]
Residual = Literal["plain", "attention"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A core with a short causal convolution of `taps` (0: none) and SiLU on its first inputs, and an output gate."""

    core: Core
    taps: int = 4
    gate: bool = False

    @property
    def taken(self) -> dict[str, int]:
        """Widths of what one projection of the normalised token provides, in order: convolved inputs first."""
        return self.core.channels | ({"gate": self.core.width} if self.gate else {})

    @property
    def convolved(self) -> int:
        """How many of the first of these numbers a convolution acts on."""
        return sum(self.core.channels[name] for name in self.core.convolved) if self.taps else 0

    def parameters(self, width: int) -> Parameters:
        """By name; `in` and `taps` are drawn input by input, so that designs that share an input start alike."""
        taken = self.taken
        out = {"norm": vector(width, 1.0), "in": side_by_side({n: matrix(width, size) for n, size in taken.items()})}
        if self.convolved:
            scale = normal(self.taps**-0.5)
            taps = {name: Parameter((self.taps, taken[name]), scale) for name in self.core.convolved}
            out["taps"] = side_by_side(taps)
        out |= {f"core.{name}": one for name, one in self.core.parameters.items()}
        if self.core.unit_output:
            out["out_norm"] = vector(self.core.width, 1.0)
        return out | {"out": matrix(self.core.width, width)}

    def state_floats(self, length: int) -> int:
        """Of the core, and the last inputs of the convolution."""
        return self.core.state_floats(length) + max(0, self.taps - 1) * self.convolved


@dataclass(frozen=True)
class Stack:
    """Embedding; x <- x + mixer(RMSNorm(x)) and x <- x + channels(RMSNorm(x)) per layer; RMSNorm and a linear head.

    `channel`: what mixes the channels of a token after each mixer, `expansion` times as wide: a GELU MLP, SwiGLU
    (arXiv 2002.05202) or nothing (as in Zoology, 2312.04927). `residual`: the sum of all earlier outputs, or attention
    over them with a learned query per block (2603.15031). `loops`: how often the layers run, with shared weights.
    `slots`: where answers are decoded from the last token alone, how many (the compression task of MAD, 2403.17844).
    """

    vocabulary: int
    outputs: int
    width: int
    layers: tuple[Layer, ...]
    channel: Channel = "none"
    expansion: int = 2
    residual: Residual = "plain"
    loops: int = 1
    slots: int = 0

    @property
    def hidden(self) -> int:
        """Inner width of the channel mixer."""
        return self.expansion * self.width

    @property
    def blocks(self) -> int:
        """Contributions to the residual stream, the embedding left out."""
        return self.loops * len(self.layers) * (1 if self.channel == "none" else 2)

    @cached_property
    def layout(self) -> Layout:
        """Parameters by name, in the order of the leaf; the embedding counts."""
        out: dict[str, Parameter] = {"embed": Parameter((self.vocabulary, self.width), normal(1.0), decayed=True)}
        for index, layer in enumerate(self.layers):
            own = dict(layer.parameters(self.width)) | self._channel_parameters()
            out |= {f"{index}.{name}": one for name, one in own.items()}
        if self.residual == "attention":
            out["queries"] = Parameter((self.blocks, self.width), constant(0.0))
        if self.slots:
            out |= {"slots": Parameter((self.slots, self.width), normal(1.0), decayed=True)}
            out |= {
                "decode_in": matrix(2 * self.width, 2 * self.width),
                "decode_out": matrix(2 * self.width, self.width),
            }
        return Layout(out | {"norm": vector(self.width, 1.0), "head": matrix(self.width, self.outputs)})

    def _channel_parameters(self) -> dict[str, Parameter]:
        if self.channel == "none":
            return {}
        up = matrix(self.width, self.hidden * (2 if self.channel == "swiglu" else 1))
        return {"channel_norm": vector(self.width, 1.0), "up": up, "down": matrix(self.hidden, self.width)}

    @property
    def parameters(self) -> int:
        """n, embeddings included."""
        return self.layout.size

    def state_floats(self, length: int) -> int:
        """Floats kept per sequence to go on after `length` tokens; looped layers keep one state per pass."""
        return self.loops * sum(layer.state_floats(length) for layer in self.layers)

    def forward_products(self, batch: int, length: int, queries: int) -> int:
        """Multiply-adds of the matrix products of one forward pass over `batch` sequences.

        The first layer's projection is made once per word of the vocabulary; the last layer's outputs and all that
        follows at the labelled positions alone.
        """
        last, total = self.loops * len(self.layers) - 1, 0
        for place in range(last + 1):
            layer = self.layers[place % len(self.layers)]
            rows = queries if place == last and not self.slots else (1 if place == last else length)
            tokens = batch * length if place else min(self.vocabulary, batch * length)
            total += tokens * self.width * sum(layer.taken.values())
            total += batch * layer.core.products(length, rows) + batch * rows * layer.core.width * self.width
            if self.channel != "none":
                total += batch * rows * self.width * self.hidden * (3 if self.channel == "swiglu" else 2)
        if self.residual == "attention":
            total += self._residual_products(batch, length)
        if self.slots:
            total += batch * self.slots * (4 * self.width**2 + 2 * self.width**2)
        return total + batch * queries * self.width * self.outputs

    def _residual_products(self, batch: int, length: int) -> int:
        """Of attention over layers: scores and sums of all earlier outputs, at every token."""
        return sum(batch * length * 2 * self.width * (block + 1) for block in range(self.blocks))

    def forward_solves(self, batch: int, length: int) -> int:
        """Multiply-adds of the triangular solves of one forward pass."""
        return batch * self.loops * sum(layer.core.solves(length) for layer in self.layers)

    def forward_flop(self, batch: int, length: int, queries: int) -> int:
        """FLOP of one forward pass: 2 per multiply-add of products and triangular solves; nothing elementwise."""
        return 2 * (self.forward_products(batch, length, queries) + self.forward_solves(batch, length))

    def training_flop(self, batch: int, length: int, queries: int) -> int:
        """FLOP of one training step: two more products per product; a solve's gradient is a solve and a product."""
        return 2 * (3 * self.forward_products(batch, length, queries) + 4 * self.forward_solves(batch, length))
