"""What a candidate costs by construction, without running anything."""

from __future__ import annotations

from novum.arenas.sequence.fairness import stacks
from novum.arenas.sequence.options import Options
from novum.core.model.candidate import Cost, Genome

PREDICTED_BATCHES = 4
"""Training batches that are predicted at once."""


def cost(genome: Genome, options: Options) -> Cost:
    """Parameters and state floats of the largest of its networks, and FLOP of one full trial over all tasks.

    State: what is kept per sequence to go on after the training length. FLOP: see `Stack.forward_flop`; the elementwise
    part takes most of the time at these sizes, so they do not predict seconds.
    """
    parameters, state, flop = 0, 0, 0.0
    for stack, one in zip(stacks(genome, options), options.named, strict=True):
        task = one.task
        parameters = max(parameters, stack.parameters)
        state = max(state, stack.state_floats(task.length))
        flop += options.steps * stack.training_flop(options.batch, task.length, task.queries)
        length, queries = task.length * options.stretch, task.queries * options.stretch
        flop += stack.forward_flop(options.held_out, length, min(length, queries))
    return Cost(parameters, state, flop)
