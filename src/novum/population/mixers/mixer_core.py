"""The families of token mixers as data: their inputs per token, own parameters, state and arithmetic. No torch here.

A core reads named inputs that one projection of the normalised token provides (`channels`), mixes them over time, and
gives `width` numbers per token. `products(T, Q)` counts the multiply-adds of its matrix products for one sequence of T
tokens of which Q are wanted; `solves(T)` those of triangular solves; everything elementwise is left out.
"""

from __future__ import annotations

from typing import Protocol

from novum.population.network_parameters import Parameters

CHUNK = 64
"""Tokens that chunked forms treat at once; see `chunked_scan` for why it is bounded."""

MAX_LOG_DECAY = 1.0
"""Largest forgetting of one step, in nats."""

MINI_BATCH = 16
"""Tokens whose gradients are taken at the same state in `MiniBatchState` (TTT, arXiv 2407.04620)."""

Channels = dict[str, int]


class Core(Protocol):
    """What a family says of itself; the functions are in the module of its name."""

    @property
    def width(self) -> int:
        """Numbers that it gives per token."""
        ...

    @property
    def heads(self) -> int:
        """Parts of its output that are computed apart; 1 where there are none."""
        ...

    @property
    def channels(self) -> Channels:
        """Widths of its inputs by name, in their order."""
        ...

    @property
    def convolved(self) -> tuple[str, ...]:
        """The inputs that a short convolution acts on: the first ones."""
        ...

    @property
    def parameters(self) -> Parameters:
        """Its own parameters, without the projections around it."""
        ...

    @property
    def unit_output(self) -> bool:
        """Whether its output grows with what was read and is therefore brought to unit RMS per head."""
        ...

    def state_floats(self, length: int) -> int:
        """Floats kept per sequence in order to go on after `length` tokens."""
        ...

    def products(self, length: int, rows: int) -> int: ...

    def solves(self, length: int) -> int: ...


def chunks(length: int, size: int = CHUNK) -> list[int]:
    """Lengths of the chunks of a sequence."""
    full, rest = divmod(length, size)
    return [size] * full + ([rest] if rest else [])


def scan_products(length: int, rows: int, key: int, value: int, substeps: int, corrects: bool) -> int:
    """Multiply-adds of `chunked_scan` for one head."""
    sizes = chunks(length * substeps)
    wanted = [rows] if len(sizes) == 1 else sizes
    inside = sum(r * c * (key + value) + (c * c * key if corrects else 0) for c, r in zip(sizes, wanted, strict=True))
    reads = (2 if corrects else 1) * sum(sizes[1:])
    return inside + key * value * (reads + sum(sizes[:-1]))
