"""How many FLOP of 6 N D a budget of CPU seconds pays for on this machine, by the measured time of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from novum.arenas.sequence.options import Options
from novum.arenas.sequence.scaling_cell import SpeedRequest, SpeedResult
from novum.arenas.sequence.scaling_plan import PlanOptions, ScaledArchitecture, ScalingPlan, make_plan, sized
from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError

WIDTHS = (4, 32, 128)
"""At which steps are measured; between them, and above, their time is taken to be linear in the parameters."""
_FASTEST = 1e14
"""FLOP of 6 N D in a second that no machine reaches with small networks."""
_FINER = 0.95
_FEWEST = 1e-8
"""Of the FLOP that the search begins with: where it gives up."""


def measure(
    options: Options,
    given: Mapping[str, Scalar],
    architectures: Sequence[ScaledArchitecture],
    chosen: PlanOptions,
    speed: Callable[[SpeedRequest], SpeedResult],
) -> dict[str, Callable[[ScalingPlan], float]]:
    """By architecture, what the CPU seconds of its part of a plan are expected to be."""
    found: dict[str, Callable[[ScalingPlan], float]] = {}
    for one in architectures:
        request = SpeedRequest(dict(given), one.genome, WIDTHS, len(chosen.rates), chosen.design.repeats)
        found[one.name] = _cost(options, one, speed(request))
    return found


def _cost(options: Options, architecture: ScaledArchitecture, speed: SpeedResult) -> Callable[[ScalingPlan], float]:
    sizes = [sized(options, architecture.genome, width).parameters for width in WIDTHS]
    slope = (speed.seconds[-1] - speed.seconds[-2]) / (sizes[-1] - sizes[-2])

    def step(parameters: int) -> float:
        if parameters > sizes[-1]:
            return speed.seconds[-1] + max(0.0, slope) * (parameters - sizes[-1])
        return float(np.interp(parameters, sizes, speed.seconds))

    def cost(plan: ScalingPlan) -> float:
        scoring = plan.sequences / options.batch / 3  # a forward pass is a third of a step
        own = [cell for cell in plan.cells if cell.architecture == architecture.name]
        return sum(speed.start + (cell.steps + scoring) * step(cell.parameters) for cell in own)

    return cost


def affordable(
    options: Options,
    architectures: Sequence[ScaledArchitecture],
    chosen: PlanOptions,
    seconds: float,
    costs: Mapping[str, Callable[[ScalingPlan], float]],
) -> ScalingPlan:
    """The largest plan that so many CPU seconds are expected to pay for. Raises StudyError where none is that small."""
    flop, least = seconds * _FASTEST, 0.0
    while flop > seconds * _FASTEST * _FEWEST:
        try:
            plan = make_plan(options, architectures, flop, chosen)
        except StudyError:
            if least:
                break
        else:
            least = sum(cost(plan) for cost in costs.values())
            if least <= seconds:
                return plan
        flop *= _FINER
    if not least:
        make_plan(options, architectures, seconds * _FASTEST, chosen)  # says what is wrong with it
    raise StudyError(
        f"cpu {seconds:.0f}s: the smallest such design takes about {least:.0f} CPU seconds on this machine; give that, "
        "fewer --sizes, --budgets or --repeats, or a smaller batch in the study"
    )
