"""What a token costs at a length of context: time and memory of training, time and state of decoding one more.

Each measurement runs in a process of its own (`context_trial`), so that peak memory is
that of one mixer at one length.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from novum.core.model.errors import UserError
from novum.population.mixers.named import NAMED


@dataclass(frozen=True)
class ContextCost:
    """One mixer at one length: a network of one layer of it, width 32, one sequence at a time, one thread."""

    mixer: str
    length: int
    training_seconds: float
    """CPU seconds of a forward and backward pass over the sequence: the median of several."""
    training_bytes: int
    """Peak resident memory of that pass above what the process had before."""
    decoding_seconds: float
    """CPU seconds to decode one more token after `length` of them: the median of several."""
    state_floats: int
    """Floats that are kept in order to go on."""


@dataclass(frozen=True)
class Growth:
    """How costs grow with the length: exponents of power laws through the longer half of the lengths."""

    mixer: str
    training_time: float
    training_memory: float
    decoding_time: float
    state: float


@dataclass(frozen=True)
class ContextCosts:
    """All measurements, and what follows from them."""

    costs: list[ContextCost]
    growth: list[Growth]


def measured(mixers: Sequence[str], lengths: Sequence[int]) -> Iterator[ContextCost]:
    """Every mixer at every length, each in its own process. Raises UserError."""
    for mixer in mixers:
        if mixer not in NAMED:
            raise UserError(f"there is no mixer {mixer!r}; choose from {', '.join(NAMED)}")
    for mixer in mixers:
        for length in lengths:
            command = [sys.executable, "-m", "novum.arenas.sequence.context_trial", mixer, str(length)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
                raise UserError(f"{mixer} at {length} tokens: {last}")
            yield ContextCost(**json.loads(done.stdout))


def growth(costs: Sequence[ContextCost]) -> list[Growth]:
    """Exponents per mixer; nan where there is only one length."""
    out = []
    for mixer in dict.fromkeys(one.mixer for one in costs):
        own = sorted((one for one in costs if one.mixer == mixer), key=lambda one: one.length)
        own = own[-max(2, (len(own) + 1) // 2) :]
        lengths = [one.length for one in own]
        each = ("training_seconds", "training_bytes", "decoding_seconds", "state_floats")
        out.append(Growth(mixer, *(_exponent(lengths, [getattr(one, name) for one in own]) for name in each)))
    return out


def _exponent(lengths: Sequence[int], values: Sequence[float]) -> float:
    """The slope of log value over log length by least squares."""
    if len(lengths) < 2 or min(values) <= 0:
        return math.nan
    x, y = [math.log(one) for one in lengths], [math.log(one) for one in values]
    return statistics.linear_regression(x, y).slope
