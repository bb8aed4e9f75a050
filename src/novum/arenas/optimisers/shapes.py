"""The parameters of each task's network as matrices: a bias is a matrix of one row."""

from __future__ import annotations

from itertools import pairwise

from novum.arenas.optimisers.options import BYTES, CLASSES, Options

Shape = tuple[int, int]
INPUTS = {"mnist1d": 40, "digits": 64}
GROWN = 4
"""Times the width of a transformer's hidden layer."""


def shapes(options: Options, width: int) -> tuple[Shape, ...]:
    """Rows (inputs) and columns (outputs) of each parameter."""
    if options.task == "quadratic":
        return ((width, width),)
    if options.task == "bytes":
        block = ((width, 3 * width), (width, width), (width, GROWN * width), (GROWN * width, width))
        return ((BYTES, width), (options.length, width), *(block * options.depth), (width, BYTES))
    sizes = (INPUTS[options.task], *[width] * options.depth, CLASSES)
    return tuple(shape for rows, columns in pairwise(sizes) for shape in ((rows, columns), (1, columns)))


def gradient_flop(options: Options, every: tuple[Shape, ...]) -> int:
    """Of the gradient of a batch: three products for each matrix that examples pass through, and those of attention."""
    rows = options.batch * (options.length if options.task == "bytes" else 1)
    passed = every[2:] if options.task == "bytes" else every
    products = 6 * rows * sum(one * other for one, other in passed)
    if options.task != "bytes":
        return products
    return products + 12 * options.depth * rows * options.length * every[0][1]
