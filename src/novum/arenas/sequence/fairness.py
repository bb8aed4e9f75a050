"""Equal parameters, state or FLOP: the width or key length at which a candidate has as much as the baseline."""

from __future__ import annotations

from functools import lru_cache

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.space import Size, places, space, stack_of
from novum.arenas.sequence.task_list import decoder_slots
from novum.core.model.candidate import Genome, Scalar
from novum.core.model.errors import StudyError
from novum.population.stack import Stack

BASELINE: Genome = {"layer_1": "own", "taps": 4, "d_key": 16}
"""Linear attention with a short convolution, in every place."""

TOLERANCE = 1.02
"""How much more than the baseline a candidate may have of what is to be equal."""


def baseline(options: Options) -> Genome:
    """The baseline's genome in normal form."""
    return space(options).validate({**BASELINE, **dict.fromkeys(places(options), "own")})


def stacks(genome: Genome, options: Options) -> tuple[Stack, ...]:
    """The candidate's stack for each task, at the size that the study gives it. Raises StudyError when none is fair."""
    size = _size(tuple(genome.items()), options)
    return tuple(_for_task(genome, options, size, index) for index in range(len(options.named)))


def _for_task(genome: Genome, options: Options, size: Size, index: int) -> Stack:
    task = options.named[index].task
    return stack_of(genome, options, size, task.vocabulary, task.outputs, decoder_slots(task))


@lru_cache(maxsize=1024)
def _size(genes: tuple[tuple[str, Scalar], ...], options: Options) -> Size:
    genome = dict(genes)
    if options.equal == "nothing":
        return Size(options.width)
    allowed = TOLERANCE * _amount(baseline(options), options, Size(options.width))
    if options.equal == "state":
        sizes = [Size(options.width, d_key) for d_key in range(128, 0, -2)]
    else:
        sizes = [Size(width) for width in range(4 * options.width, 7, -4)]
    for size in sizes:
        if _amount(genome, options, size) <= allowed:
            return size
    mixers, what = (
        ", ".join(str(genome[name]) for name in places(options)),
        "key" if options.equal == "state" else "width",
    )
    limit = f"{options.equal} of {allowed / TOLERANCE:.0f}, which the baseline has"
    raise StudyError(f"{mixers}: no {what} is small enough for {limit}")


def _amount(genome: Genome, options: Options, size: Size) -> float:
    """What is to be equal, summed over the tasks."""
    total = 0.0
    for index, one in enumerate(options.named):
        stack = _for_task(genome, options, size, index)
        if options.equal == "parameters":
            total += stack.parameters
        elif options.equal == "state":
            total += stack.state_floats(one.task.length)
        else:
            total += stack.training_flop(options.batch, one.task.length, one.task.queries)
    return total
