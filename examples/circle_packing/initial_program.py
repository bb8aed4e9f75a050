"""Puts circles into the unit square so that their radii add up to as much as possible."""

import numpy as np

# EVOLVE-BLOCK-START
SIDE = 0.16
EDGE = 0.08


def centres(count):
    """Rows of a grid, from the lower left."""
    points = []
    y = EDGE
    while len(points) < count:
        x = EDGE
        while x <= 1.0 - EDGE and len(points) < count:
            points.append((x, y))
            x += SIDE
        y += SIDE
    return np.array(points)


def radii(points):
    """Radii that fit: each circle takes half of the way to its nearest neighbour, or all of it to a wall."""
    sizes = np.zeros(len(points))
    for number, point in enumerate(points):
        walls = min(point[0], point[1], 1.0 - point[0], 1.0 - point[1])
        ways = np.sqrt(((points - point) ** 2).sum(axis=1))
        ways[number] = np.inf
        sizes[number] = max(0.0, min(walls, ways.min() / 2))
    return sizes


# EVOLVE-BLOCK-END


def run_packing(count=26):
    """What the evaluator calls: centres [count, 2] and radii [count]."""
    points = centres(count)
    return points, radii(points)
