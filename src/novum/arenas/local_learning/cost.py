"""What a rule costs by construction: two FLOP for each multiply-add of its matrix products, nothing elementwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from novum.arenas.local_learning.mnist1d import CLASSES
from novum.arenas.local_learning.options import Options
from novum.arenas.local_learning.space import CARRIED, Design, space
from novum.core.model.candidate import Cost, Genome

LABEL = 10
BASELINE: Genome = {"signal": "random"}
"""Feedback alignment at the first width and depth."""


@dataclass(frozen=True, slots=True)
class Products:
    """Multiply-adds per example of a design's parts."""

    design: Design
    inputs: int

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs, bias included, and outputs of each hidden layer."""
        sizes = [self.inputs + LABEL * self.design.labelled, *[self.design.width] * self.design.depth]
        return [(one + 1, other) for one, other in pairwise(sizes)]

    @property
    def hidden(self) -> int:
        """Of a pass through the hidden layers."""
        return sum(one * other for one, other in self.layers)

    @property
    def readout(self) -> int:
        """Of the readout."""
        return (self.design.width * self.design.layers_read + 1) * CLASSES

    @property
    def forward(self) -> int:
        """Of a pass."""
        return self.hidden + self.readout

    @property
    def inner(self) -> int:
        """Of the products between hidden layers, without biases."""
        return (self.design.depth - 1) * self.design.width**2

    @property
    def down(self) -> int:
        """Of carrying errors from the output to all hidden layers."""
        width, depth = self.design.width, self.design.depth
        if self.design.signal == "direct":
            return depth * width * CLASSES
        if self.design.signal == "inverse":
            return 2 * (depth - 1) * (width + 1) * width + width * CLASSES
        return self.inner + width * CLASSES

    @property
    def inverses(self) -> int:
        """Of learning inverses: there, back, and the product that changes them."""
        if self.design.signal != "inverse":
            return 0
        return 3 * (self.design.depth - 1) * (self.design.width + 1) * self.design.width


def step_flop(design: Design, inputs: int, batch: int) -> float:
    """FLOP of one training step."""
    parts = Products(design, inputs)
    if design.signal in CARRIED:
        each = {"none": _carried, "prediction": _prediction, "hopfield": _hopfield}[design.settling](parts, design)
        return 2.0 * batch * (each + parts.inverses)
    if design.signal == "goodness":
        own = design.readout == "own"
        return 2.0 * batch * (4 * parts.hidden + (0 if own else parts.hidden + 2 * parts.readout))
    if design.signal == "hebbian":
        return _hebbian(parts, batch)
    return (_nodes if design.noise == "nodes" else _weights)(parts, design, batch)


def _carried(parts: Products, design: Design) -> int:
    """Forward, down, and the products that change the weights."""
    del design
    return 2 * parts.forward + parts.down


def _prediction(parts: Products, design: Design) -> int:
    """The errors are computed once more than the activities move; fixed predictions need no pass again."""
    phases = 2 if design.antithetic else 1
    moving = design.predictions == "moving"
    settling = (design.steps + 1) * (parts.down + parts.readout) + design.steps * parts.hidden * moving
    return parts.hidden + phases * (settling + parts.forward)


def _hopfield(parts: Products, design: Design) -> int:
    """The lowest layer's sums are computed once a phase; in the free phase the output sends nothing down."""
    direct = design.signal == "direct"
    lowest = parts.layers[0][0] * parts.layers[0][1]
    upper, width = parts.hidden - lowest, design.width
    free = design.steps * (upper + (0 if direct else parts.inner))
    output = parts.readout + (design.depth if direct else 1) * width * CLASSES
    nudged = design.steps // 2 * (upper + (0 if direct else parts.inner) + output)
    phases = 2 if design.antithetic else 1
    return (1 + phases) * lowest + free + phases * nudged + 2 * parts.hidden + 2 * parts.readout


def _hebbian(parts: Products, batch: int) -> float:
    per_example = parts.forward + parts.readout
    for rows, columns in parts.layers:
        per_example += (rows - 1) * columns + columns**2 + rows * columns
    per_batch = sum(rows * columns * columns for rows, columns in parts.layers)
    return 2.0 * (batch * per_example + per_batch)


def _nodes(parts: Products, design: Design, batch: int) -> float:
    passes = 1 + design.draws * (2 if design.antithetic else 1)
    return 2.0 * batch * (passes * parts.forward + parts.forward)


def _weights(parts: Products, design: Design, batch: int) -> float:
    """Draws through the layers and through their noise, a clean pass where it is needed, the noise weighted."""
    own, rank = design.readout == "own", design.rank
    matrices = [*parts.layers, *([(parts.readout // CLASSES, CLASSES)] if own else [])]
    apart = sum(rank * (one + other) if rank else one * other for one, other in matrices)
    passes = design.draws * (2 if design.antithetic else 1)
    clean = parts.forward if not (design.antithetic and own) else 0
    again = sum(one * other * rank * design.draws for one, other in matrices)
    per_example = passes * (parts.forward + apart) + clean + (0 if own else parts.readout)
    return 2.0 * (batch * per_example + again)


def steps(design: Design, options: Options, fidelity: float = 1.0) -> int:
    """Training steps of a trial: as many for all, or what the baseline's FLOP pay, and at least one."""
    count = options.samples * fidelity / options.batch
    if options.equal == "flop":
        baseline = Design.of(space(options).validate(BASELINE))
        count *= step_flop(baseline, options.inputs, options.batch) / step_flop(design, options.inputs, options.batch)
    return max(1, round(count))


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters of the network, whatever feedback there is beside, and FLOP of the training of one full trial."""
    design = Design.of(space(options).validate(genome))
    parts = Products(design, options.inputs)
    return Cost(parts.forward, 0, steps(design, options) * step_flop(design, options.inputs, options.batch))
