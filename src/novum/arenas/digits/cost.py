"""What a genome costs by construction: the numbers that have to be kept in order to classify one more image."""

from __future__ import annotations

from novum.arenas.digits.data import CLASSES
from novum.arenas.digits.options import Options
from novum.arenas.digits.space import Design
from novum.core.model.candidate import Cost, Genome

TREES = 40


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters at most; how many support vectors and leaves there are is only known after training.

    Linear models: a weight per feature and class, and a constant per class. Neighbours: all rows learned from, with
    their labels. Support vectors: all rows, each with a weight against every other class; with a linear kernel only
    the 45 borders. Trees: a feature and a threshold per split, a label per leaf. There is no state; FLOP are not
    counted (0), since solvers stop when they have converged.
    """
    design = Design.of(genome)
    rows, inputs = options.train * design.copies, design.inputs
    borders = CLASSES * (CLASSES - 1) // 2
    if design.model == "neighbours":
        return Cost(rows * (inputs + 1))
    if design.model == "svm":
        return Cost(borders * (inputs + 1) if design.kernel == "linear" else rows * (inputs + CLASSES - 1) + borders)
    if design.model == "trees":
        return Cost(TREES * (2 * (rows - 1) + rows))
    return Cost(CLASSES * (inputs + (design.model != "centroid")))
