"""What a classifier sees of an image, and copies of it that show the same digit. NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from novum.arenas.digits.space import Design

Floats = npt.NDArray[np.float64]

SIDE = 8
DIRECTIONS = 8
SLANT = 0.25
LENGTH = 4.0
TINY = 1e-9


def copies(design: Design, images: Floats) -> Floats:
    """The images [n, 64], then their moved or slanted copies, [copies x n, 64]; what comes in from outside is 0."""
    grid = images.reshape(-1, SIDE, SIDE)
    if design.augment == "shift":
        wide = np.pad(grid, ((0, 0), (1, 1), (1, 1)))
        moved = [wide[:, down : down + SIDE, right : right + SIDE] for down, right in ((1, 0), (1, 2), (0, 1), (2, 1))]
        return np.concatenate([grid, *moved]).reshape(-1, SIDE * SIDE)
    if design.augment == "slant":
        return np.concatenate([grid, _slanted(grid, SLANT), _slanted(grid, -SLANT)]).reshape(-1, SIDE * SIDE)
    return images


def _slanted(grid: Floats, slope: float) -> Floats:
    """Every line moved sideways by `slope` pixels per line, about the middle, with linear interpolation."""
    out, columns = np.empty_like(grid), np.arange(SIDE)
    for line in range(SIDE):
        shift = slope * (line - (SIDE - 1) / 2)
        low, part = int(np.floor(shift)), shift - np.floor(shift)
        weights = np.zeros((SIDE, SIDE))
        for offset, weight in ((low, 1 - part), (low + 1, part)):
            inside = (columns + offset >= 0) & (columns + offset < SIDE)
            weights[columns[inside] + offset, columns[inside]] += weight
        out[:, line] = grid[:, line] @ weights
    return out


def features(design: Design, images: Floats) -> Floats:
    """The features of images [n, 64] with grey levels in [0, 1], [n, design.inputs]."""
    if design.features == "blocks":
        blocks: Floats = images.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
        return blocks
    if design.features == "gradients":
        return _gradients(images)
    if design.features == "both":
        return np.concatenate([images, _gradients(images)], axis=1)
    return images


def _gradients(images: Floats) -> Floats:
    """Strength of the gradient along each of eight directions, summed over 2 x 2 pixels; square root, rows of LENGTH.

    After histograms of oriented gradients (Dalal and Triggs, CVPR 2005), with half-wave projections for the bins. The
    length is about that of the pixels of an image, so that one sweep of the strength of fit suits both.
    """
    wide = np.pad(images.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    slope = np.stack([wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2], wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]], axis=-1)
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    along = np.maximum(slope @ np.stack([np.cos(angles), np.sin(angles)]), 0.0)
    cells = along.reshape(-1, 4, 2, 4, 2, DIRECTIONS).sum((2, 4)).reshape(len(images), -1)
    found: Floats = LENGTH * np.sqrt(cells / np.maximum(cells.sum(1, keepdims=True), TINY))
    return found


def scaled(design: Design, learned: Floats, scored: Floats) -> tuple[Floats, Floats]:
    """Both sets of features after scaling; whatever is estimated comes from the first alone."""
    if design.scale == "standardise":
        mean, sd = learned.mean(0), learned.std(0)
        sd[sd < TINY] = 1.0
        return (learned - mean) / sd, (scored - mean) / sd
    if design.scale == "unit":
        return _unit(learned), _unit(scored)
    return learned, scored


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.sqrt((rows**2).sum(1, keepdims=True))
    return rows / np.maximum(lengths, TINY)
