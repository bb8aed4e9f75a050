"""How many members to train at a time: on a CPU what its cache holds, on a GPU what its memory holds."""

from __future__ import annotations

import os

from novum.population.stack import Stack

MOST = {"cpu": 16, "cuda": 512}
"""More members than this gained nothing on a core (decision 40). The other figure is a guess, not measured."""

CACHE_BYTES = 2 << 20
"""Of a core, where the system does not say."""

KEPT_TENSORS = 24
"""Tensors of the size of a layer's inputs that a backward pass keeps per layer, roughly."""


def suggested_places(stack: Stack, batch: int, length: int, free_bytes: int | None = None) -> int:
    """Members at a time. `free_bytes`: memory of the GPU that is free; None for a CPU.

    On a CPU, so many that half of the second-level cache holds the widest tensor of all of them: steps are passes over
    such tensors. On a GPU, so many that half of the free memory holds what their backward passes keep.
    """
    widest = max(sum(layer.taken.values()) for layer in stack.layers)
    member = 4 * batch * length * max(widest, stack.hidden if stack.channel != "none" else 0)
    if free_bytes is None:
        return max(1, min(MOST["cpu"], _cache_bytes() // 2 // member))
    kept = member * KEPT_TENSORS * stack.loops * len(stack.layers) + 16 * stack.parameters
    return max(1, min(MOST["cuda"], free_bytes // 2 // kept))


def _cache_bytes() -> int:
    try:
        return os.sysconf("SC_LEVEL2_CACHE_SIZE") or CACHE_BYTES
    except (ValueError, OSError):
        return CACHE_BYTES
