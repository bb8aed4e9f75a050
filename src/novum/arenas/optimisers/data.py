"""What a trial learns from and what it is scored on, by task, role and seed. NumPy only.

MNIST-1D and digits are those of the local-learning arena, with other generators or parts for each role; bytes are files
of the standard library, others for each role. Every seed draws its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from novum.arenas.local_learning import data as pictures
from novum.arenas.local_learning.options import Options as PictureOptions
from novum.arenas.optimisers.options import Options
from novum.arenas.sequence.tasks.stdlib_bytes import StdlibBytes
from novum.core.model.trial import Role
from novum.population.streams import stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LARGEST = 4.0
"""Curvature of a quadratic, such that plain descent is stable below a rate of 1/2, in the middle of the sweep."""


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Of W [n, n] the loss is the mean square of z inputs (W - truth) outputs, z Gaussian rows of n numbers.

    Its curvature is the Kronecker product of inputs' inputs and outputs outputs'; both have axes drawn at random.
    """

    inputs: Floats
    truth: Floats
    outputs: Floats


def quadratic(options: Options, role: Role, seed: int) -> Quadratic:
    """Curvatures from LARGEST / condition to LARGEST, evenly in the logarithm on both sides."""
    size = options.units(role)
    rng = stream(seed, f"optimisers/quadratic/{role}")
    inputs, outputs = (_axes(rng, size, options.condition) for _ in range(2))
    return Quadratic(inputs, rng.standard_normal((size, size)), outputs.T)


def _axes(rng: np.random.Generator, size: int, condition: float) -> Floats:
    """A matrix whose squared singular values have the largest LARGEST^1/2 and the ratio condition^1/2."""
    axes, _ = np.linalg.qr(rng.standard_normal((size, size)))
    out: Floats = LARGEST**0.25 * np.geomspace(1.0, condition**-0.25, size)[:, None] * axes
    return out


def held_out_rows(options: Options, role: Role, seed: int) -> Floats:
    """The rows z that a quadratic is scored on, [held_out, n]."""
    return stream(seed, f"optimisers/held-out/{role}").standard_normal((options.held_out, options.units(role)))


def picture_options(options: Options) -> PictureOptions:
    """Those of the local-learning arena for the same data."""
    return PictureOptions(
        task="digits" if options.task == "digits" else "mnist1d", train=options.train, held_out=options.held_out
    )


def order(options: Options, seed: int, rows: int) -> Ints:
    """Which example is seen when: all rows in a new order, again and again, [steps * batch]."""
    rng, count = stream(seed, "optimisers/order"), options.steps * options.batch
    found: Ints = np.concatenate([rng.permutation(rows) for _ in range(-(-count // rows))])[:count]
    return found


@lru_cache(maxsize=16)
def text(options: Options, role: Role) -> StdlibBytes:
    """The bytes to learn from."""
    return StdlibBytes(length=options.length).variant(role)


def asked_text(options: Options, role: Role, seed: int) -> tuple[Ints, Ints]:
    """Sequences [held_out, length] of files that are not learned from, and the byte after each."""
    batch = text(options, role).held_out().batch(stream(seed, f"optimisers/text/{role}"), options.held_out)
    return batch.tokens, batch.answers[:, -1]


def answers(options: Options, role: Role, seed: int) -> Ints:
    """The classes or bytes that a trial of this role is scored by, which only the lab may know."""
    if options.task == "bytes":
        return asked_text(options, role, seed)[1]
    return pictures.answers(picture_options(options), role, seed)
