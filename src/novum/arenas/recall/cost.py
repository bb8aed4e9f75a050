"""What a genome costs by construction: parameters, state and floating-point operations, without running anything."""

from __future__ import annotations

import math

from novum.arenas.recall.layout import CHUNK, EVAL_BATCHES, channels, shapes
from novum.arenas.recall.options import Options
from novum.arenas.recall.space import Design
from novum.core.model.candidate import Cost, Genome


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters, state floats and FLOP of one full-length trial (training and prediction) of one member.

    State: what must be kept per sequence to go on after `length` tokens, over all layers: the matrix states
    (d_key x width), or keys and values of every token for attention, plus the last conv - 1 inputs of each convolution.

    FLOP: 2 per multiply-add of every matrix product, and C^2 per right-hand side of a triangular solve of size C,
    forward and backward. Excluded: everything elementwise (convolution, norms, SiLU, softmax, decay, optimiser),
    look-ups, data. At these sizes the excluded part takes most of the time, so FLOP do not predict seconds.
    """
    design = Design.of(genome)
    parameters = sum(math.prod(shape) for shape in shapes(design, options).values())
    products, solves = _products(design, options, options.batch), _solves(design, options, options.batch)
    training = options.steps * (3 * products + 4 * solves)
    size = min(EVAL_BATCHES * options.batch, options.held_out)
    slices = options.held_out / size
    prediction = slices * (_products(design, options, size) + _solves(design, options, size))
    return Cost(parameters, state_floats(design, options), float(training + prediction))


def state_floats(design: Design, options: Options) -> int:
    """Floats of state per sequence after `length` tokens, all layers; see :func:`cost`."""
    inner, width = design.heads * design.d_key, options.width
    memory = options.length * (inner + width) if design.mixer == "attention" else design.d_key * width
    return options.layers * (memory + max(0, design.conv - 1) * (2 * inner + width))


def admit(genome: Genome, options: Options) -> str | None:
    """Why `genome` cannot run under `options`, or None: heads must divide the width, the state fit `max_state`."""
    design = Design.of(genome)
    if options.width % design.heads:
        return f"width {options.width} does not divide into {design.heads} heads"
    state = state_floats(design, options)
    if options.max_state and state > options.max_state:
        return f"state of {state} floats exceeds max_state = {options.max_state}"
    return None


def _chunks(options: Options) -> list[int]:
    full, rest = divmod(options.length, CHUNK)
    return [CHUNK] * full + ([rest] if rest else [])


def _products(design: Design, options: Options, batch: int) -> int:
    """FLOP of the matrix products of one forward pass over `batch` sequences."""
    width, length, queries = options.width, options.length, options.queries
    fused = sum(channels(design, options).values())
    total = 2 * batch * queries * width * options.vocabulary
    for layer in range(options.layers):
        rows = queries if layer == options.layers - 1 else length
        total += 2 * (batch * length if layer else options.vocabulary) * width * fused
        total += batch * design.heads * _mixing(design, options, rows) + 2 * batch * rows * width * width
    return total


def _mixing(design: Design, options: Options, rows: int) -> int:
    """FLOP of one head over one sequence, triangular solves excluded."""
    key, value = design.d_key, options.width // design.heads
    if design.mixer == "attention":
        return 2 * rows * options.length * (key + value)
    sizes = _chunks(options)
    sizes_rows = [(size, rows if len(sizes) == 1 else size) for size in sizes]
    inside = sum(2 * r * c * (key + value) + (2 * c * c * key if design.delta else 0) for c, r in sizes_rows)
    reads = (2 if design.delta else 1) * sum(sizes[1:])
    return inside + 2 * key * value * (reads + sum(sizes[:-1]))


def _solves(design: Design, options: Options, batch: int) -> int:
    """FLOP of the triangular solves of one forward pass; the backward pass has another and one full product."""
    squares = sum(size * size for size in _chunks(options)) if design.delta else 0
    return options.layers * batch * squares * options.width
