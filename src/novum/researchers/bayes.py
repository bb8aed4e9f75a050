"""Optimisation of typed parameters: line searches, trades at equal compute, then a tree-structured Parzen estimator.

TPE: Bergstra et al., NIPS 2011, through Optuna's ask and tell. Nothing is held between two proposals: all is worked out
anew from the record each time, so that a lab that is resumed goes on as if it had never stopped. The first proposals
change one parameter of the best known point each, in the order in which the study names them; later ones take the
sampler's values for a few parameters, or steps near the best, since a few dozen short trainings say little about ten
dimensions at once. Where compute is held equal, sizes are only changed together with the length that pays for them.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge

from novum.core.model.candidate import Candidate, Genome, Scalar, Space
from novum.core.model.errors import StudyError
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.equal_compute import Budgeted
from novum.researchers.line_search import next_value
from novum.researchers.random import fresh, success_rate
from novum.researchers.tpe import has_tpe, next_point
from novum.source.parameters import Parameter
from novum.source.space import SourceSpace
from novum.text.format import written

TRIES = 30
ALIKE = 2
"""Points that differ in no more parameters say what moving one of them along its range does."""
HALVED = 1
"""Of so many parameters, the first ones, wide gaps beside the best value are looked into."""
TRADES, STEPS, STEPS_LATER = 0.25, 0.85, 0.6
"""Shares of the later proposals: trades up to the first, steps near the best up to the second, the sampler above."""
ENOUGH = 40
"""Observations from which on the sampler has a larger share: from fewer it points to where nobody has been."""
TRADE, STEP = "a trade at equal compute", "a step from the best known values"
SAME_LENGTH = 0.12
"""Lengths whose logarithms differ by less are one."""
SHOWN = 96
"""Observations that the sampler is given: the best third and the latest ones."""

Point = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Observed:
    """A point that was tried: its values, its gain over the present incumbent (None: it failed), its hypothesis.

    compute: its CPU time over the incumbent's, None where that is not known.
    """

    point: Point
    advantage: float | None
    hypothesis: str
    genome: Genome
    compute: float | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Other values for a point that was tried, and how they were found, in words."""

    origin: Observed
    values: Point
    how: str


@dataclass(frozen=True)
class BayesResearcher:
    """The Researcher port over spaces with typed parameters, and over spaces of genes."""

    first: Annotated[int, Ge(0)] = 24
    """Proposals at most that change one parameter of a program each, before the sampler is asked."""
    together: Annotated[int, Ge(1)] = 3
    """Parameters that are usually changed together at most."""

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A point that was not tried yet. Raises StudyError for a space without parameters."""
        parameters = parameters_of(view.space)
        past = list(_observed(view, parameters))
        kinds = Budgeted.of(parameters, view.compute_limit, past)
        best = max((one for one in past if kinds.affords(one.compute)), key=_advantage, default=past[-1])
        if _advantage(best) <= 0:
            best = past[-1]
        moves: Iterator[Move] = iter(())
        if isinstance(view.space, SourceSpace):
            moves = _respent(past, best, kinds)
            if sum(one.author.startswith("bayes") for one in view.past) < self.first:
                moves = itertools.chain(moves, _single(parameters, past, best, kinds))
        later: Iterator[Move] = (self._later(past, best, kinds, rng) for _ in range(TRIES))
        if not kinds.neutral:  # what changes the cost of a run is only traded
            later = (Move(best, values, TRADE) for one in kinds.sizes for values in kinds.trades(one, best.point))
        for move in itertools.chain(moves, later):
            genome = _changed(view.space, move.origin.genome, move.values)
            if genome is None or Candidate(genome).id in view.known or _is_repeated(view.space, genome, past, kinds):
                continue
            return _proposal(view, genome, move)
        left = fresh(view.space, view, rng)
        return Proposal(left, "drawn from the space", probability=success_rate(view)) if left is not None else None

    def _later(self, past: Sequence[Observed], best: Observed, kinds: Budgeted, rng: random.Random) -> Move:
        """A trade, a step near the best, or values of a few parameters from the sampler."""
        drawn = rng.random()
        if kinds.sizes and drawn < TRADES:
            found = kinds.trades(rng.choice(kinds.sizes), best.point)
            if found:
                return Move(best, rng.choice(found), TRADE)
        scored = [one for one in past if one.advantage is not None]
        free = kinds.neutral
        if not has_tpe() or len(scored) < 4 or drawn < (STEPS if len(scored) < ENOUGH else STEPS_LATER):
            chosen = rng.sample(list(free), min(len(free), rng.randint(1, 2)))
            return Move(best, {one.name: one.near(best.point[one.name], rng) for one in chosen}, STEP)
        size = len(free) if rng.random() < 0.15 else min(len(free), rng.randint(1, self.together))
        names = {one.name for one in rng.sample(list(free), size)}
        told = [one for one in past if one.advantage is not None or kinds.affords(one.compute)]
        values = _sampled(free, told, rng.getrandbits(32))
        return Move(best, {name: values[name] for name in values if name in names}, f"TPE over {len(past)} trials")


def parameters_of(space: object) -> tuple[Parameter, ...]:
    """The parameters of a space; the genes of a space of genes count as parameters with choices. Raises StudyError."""
    if isinstance(space, SourceSpace) and space.parameters:
        return space.parameters
    if isinstance(space, Space):
        genes = (one for one in space.genes if len(one.choices) > 1)
        return tuple(Parameter(one.name, f"space: {one.name}", choices=one.choices) for one in genes)
    raise StudyError(
        "researcher bayes: this study names no parameters: `novum adopt` finds those of a script, or list them under "
        "program.parameters"
    )


def _values(space: object, genome: Genome) -> dict[str, Scalar]:
    return space.parameter_values(genome) if isinstance(space, SourceSpace) else dict(genome)


def _changed(space: Any, genome: Genome, point: Point) -> Genome | None:
    """A genome with other values, or None for what is not admitted."""
    try:
        if isinstance(space, SourceSpace):
            return space.with_parameters(genome, point)
        found: Genome = space.validate({**genome, **point})
        return found
    except StudyError:
        return None


def _observed(view: StudyView, parameters: Sequence[Parameter]) -> Iterator[Observed]:
    """What was tried, the incumbent included."""
    names = [one.name for one in parameters]
    for one in [*view.withdrawn, *(view.past or view.tried)]:
        try:
            genome = view.space.validate(one.genome)
            point = _values(view.space, genome)
        except StudyError:
            continue
        gain = one.advantage if math.isfinite(one.advantage) else None
        yield Observed({name: point[name] for name in names}, gain, one.id, genome, one.compute)
    incumbent = view.space.validate(view.incumbent)
    now = _values(view.space, incumbent)
    yield Observed({name: now[name] for name in names}, 0.0, "", incumbent)


def _advantage(one: Observed) -> float:
    return -math.inf if one.advantage is None else one.advantage


def _is_repeated(space: Any, genome: Genome, past: Sequence[Observed], kinds: Budgeted) -> bool:
    """Whether what was tried differs in a little of its length alone: cost is not measured so exactly."""
    if kinds.length is None or not isinstance(space, SourceSpace):
        return False
    name, point = kinds.length.name, space.parameter_values(genome)
    length = float(point[name])
    return any(
        abs(math.log(float(one.point[name]) / length)) < SAME_LENGTH
        and all(value == point[other] for other, value in one.point.items() if other != name)
        and _changed(space, one.genome, {name: point[name]}) == genome
        for one in past
        if one.hypothesis
    )


def _respent(past: Sequence[Observed], best: Observed, kinds: Budgeted) -> Iterator[Move]:
    """The best candidates at another length, where they take clearly less than the incumbent does, or too much."""
    better = [one for one in past if _advantage(one) > max(0.0, _advantage(best)) or (one is best and one.hypothesis)]
    for one in sorted(better, key=_advantage, reverse=True):
        if (values := kinds.respent(one.compute, one.point)) is not None:
            yield Move(one, values, "its length set to the incumbent's compute")


def _single(
    parameters: Sequence[Parameter], past: Sequence[Observed], best: Observed, kinds: Budgeted
) -> Iterator[Move]:
    """The next step along each parameter in turn, the first named first; sizes are traded for length."""
    length = kinds.length.name if kinds.length else ""
    for number, one in enumerate(parameters):
        if one.name == length:
            continue
        tried = [other.point[one.name] for other in past if _differences(other, best, {one.name, length}) <= ALIKE]
        if one in kinds.sizes:
            for values in kinds.trades(one, best.point):
                if values[one.name] not in tried:
                    yield Move(best, values, TRADE)
                    break
        elif one in kinds.neutral:
            value = next_value(one, best.point[one.name], tried, halve=number < HALVED)
            if value is not None:
                yield Move(best, {one.name: value}, "one parameter at a time")


def _differences(one: Observed, other: Observed, besides: set[str]) -> int:
    return sum(value != other.point[name] for name, value in one.point.items() if name not in besides)


def _sampled(parameters: Sequence[Parameter], past: Sequence[Observed], seed: int) -> dict[str, Scalar]:
    """The next point by TPE; what failed is told as worse than all that was scored."""
    space = {one.name: distribution(one) for one in parameters}
    scored = [one.advantage for one in past if one.advantage is not None]
    worst = min(scored) - (max(scored) - min(scored))
    told = [
        ({name: _inside(space[name], one.point[name]) for name in space},
         worst if one.advantage is None else one.advantage)
        for one in _shown(past)
    ]  # fmt: skip
    known = [(point, value) for point, value in told if None not in point.values()]
    found = next_point(space, known, {"seed": seed, "n_startup_trials": 4, "n_ei_candidates": 32})
    return {one.name: _written(one, found[one.name]) for one in parameters}


def _written(one: Parameter, value: Any) -> Scalar:
    known: Scalar = value if one.choices else one.shaped(float(value))
    return known


def _shown(past: Sequence[Observed]) -> list[Observed]:
    if len(past) <= SHOWN:
        return list(past)
    best = sorted(range(len(past)), key=lambda at: -_advantage(past[at]))[: SHOWN // 3]
    return [past[at] for at in sorted({*best, *range(len(past) - SHOWN * 2 // 3, len(past))})]


def distribution(one: Parameter) -> Any:
    """A parameter as Optuna sees it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(one.choices)
    assert one.low is not None and one.high is not None
    if one.integer:
        return IntDistribution(math.ceil(one.low), math.floor(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _inside(distribution: Any, value: Scalar) -> Any:
    """A value as the sampler takes it, brought into its range; None for a choice that is none."""
    if hasattr(distribution, "choices"):
        return next((one for one in distribution.choices if one == value), None)
    assert not isinstance(value, str)
    kind = int if isinstance(distribution.low, int) else float
    return min(distribution.high, max(distribution.low, kind(value)))


def _proposal(view: StudyView, genome: Genome, move: Move) -> Proposal:
    now, origin = move.origin.point, move.origin.hypothesis
    words = ", ".join(
        f"{name} {written(now[name])} -> {written(value)}" for name, value in move.values.items() if value != now[name]
    )
    return Proposal(
        genome=genome,
        rationale=f"{words or 'other values'}, by {move.how}{f', from {origin}' if origin else ''}",
        parents=(origin,) if origin else (),
        probability=success_rate(view),
        effect=max(0.0, _advantage(move.origin)) if origin else 0.0,
    )
