"""MNIST-1D: ten templates of twelve points, padded, scaled, moved, roughened and sheared to forty points.

Greydanus and Kobak, "Scaling down deep learning with MNIST-1D" (arXiv 2011.14439, section 2 and its appendix); written
anew for whole arrays. Sizes: N examples, T = 72 points before the last interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLASSES = 10
TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""One-dimensional outlines of the ten digits, as the paper's authors drew them."""
SMOOTHING, RADIUS = 2.0, 8
"""Sd of the Gaussian that correlates the noise, in points, and where it is cut off."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Parameters of the generator; the defaults are the paper's.

    `padding`: fewest and most points behind the template; `scaling`: width of the uniform factor about 1;
    `translation`: circular shift by less than so many points; `correlated`, `noise`: sd of the smoothed noise where the
    signal is zero, and of the independent noise; `shear`: width of the uniform slope over the whole.
    """

    padding: tuple[int, int] = (36, 60)
    scaling: float = 0.4
    translation: int = 48
    correlated: float = 0.25
    noise: float = 0.02
    shear: float = 0.75
    length: int = 40


def templates() -> Floats:
    """The ten templates with mean 0 and sd 1, from and back to about 0, divided by 6, [10, 12]."""
    drawn = np.asarray(TEMPLATES, dtype=np.float64)
    drawn = (drawn - drawn.mean(1, keepdims=True)) / drawn.std(1, keepdims=True)
    shapes: Floats = (drawn - drawn[:, :1]) / 6.0
    return shapes


def labelled(generator: Generator, rng: np.random.Generator, count: int) -> tuple[Floats, Ints]:
    """Examples [count, length] before standardisation, and their classes [count], which are drawn uniformly."""
    labels = rng.integers(CLASSES, size=count)
    shapes = templates()[labels]
    low, high = generator.padding
    wide = shapes.shape[1] + high
    signal = _dilated(shapes + 1e-8, rng.integers(low, high + 1, size=count), wide)
    signal *= 1 + generator.scaling * (rng.random((count, 1)) - 0.5)
    shift = rng.integers(generator.translation, size=(count, 1))
    signal = np.take_along_axis(signal, (np.arange(wide) - shift) % wide, axis=1)
    rough = _smoothed(generator.correlated * rng.standard_normal((count, wide)))
    signal = np.where(signal != 0, signal, rough) + generator.noise * rng.standard_normal((count, wide))
    signal -= generator.shear * (rng.random((count, 1)) - 0.5) * np.linspace(-0.5, 0.5, wide)
    return _resampled(signal, generator.length), labels


def _dilated(shapes: Floats, padding: Ints, wide: int) -> Floats:
    """Each template followed by its own number of zeros, stretched to `wide` points by linear interpolation."""
    held = np.concatenate([shapes, np.zeros((len(shapes), wide))], axis=1)
    place = np.linspace(0, 1, wide) * (shapes.shape[1] + padding - 1)[:, None]
    left = np.floor(place).astype(np.int64)
    part = place - left
    below, above = np.take_along_axis(held, left, 1), np.take_along_axis(held, left + 1, 1)
    out: Floats = below * (1 - part) + above * part
    return out


def _smoothed(noise: Floats) -> Floats:
    """Convolved with a Gaussian along each row, reflected at the ends."""
    kernel = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SMOOTHING) ** 2)
    kernel /= kernel.sum()
    held = np.pad(noise, ((0, 0), (RADIUS, RADIUS)), mode="symmetric")
    out: Floats = np.lib.stride_tricks.sliding_window_view(held, 2 * RADIUS + 1, axis=1) @ kernel
    return out


def _resampled(signal: Floats, length: int) -> Floats:
    place = np.linspace(0, signal.shape[1] - 1, length)
    left = np.minimum(place.astype(np.int64), signal.shape[1] - 2)
    part = place - left
    out: Floats = signal[:, left] * (1 - part) + signal[:, left + 1] * part
    return out
