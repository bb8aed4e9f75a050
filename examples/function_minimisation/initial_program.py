"""Looks for the lowest point of a landscape with many valleys."""

import math
import random

# EVOLVE-BLOCK-START
ROUNDS = 200
LOW, HIGH = -5.0, 5.0


def search(height):
    """The best of many random points."""
    best_x, best_y = random.uniform(LOW, HIGH), random.uniform(LOW, HIGH)
    best = height(best_x, best_y)
    for _ in range(ROUNDS):
        x = random.uniform(LOW, HIGH)
        y = random.uniform(LOW, HIGH)
        value = height(x, y)
        if value < best:
            best, best_x, best_y = value, x, y
    return best_x, best_y


# EVOLVE-BLOCK-END


def landscape(x, y):
    """Its lowest point is near (-1.704, 0.678), at -1.519."""
    return math.sin(x) * math.cos(y) + math.sin(x * y) + (x * x + y * y) / 20


def run_search():
    """What the evaluator calls."""
    x, y = search(landscape)
    return x, y, landscape(x, y)
