"""Quality diversity: MAP-Elites (Mouret and Clune 2015, arXiv 1504.04909) over what has been screened.

Behaviour is what else is known of a candidate besides its score: the arena's further metrics, and what it costs. The
axes of behaviour are cut into bins, and of all candidates in one cell of the grid the best is kept, its elite. Parents
are drawn uniformly from the occupied cells, so that a candidate that is good in a way of its own has children though
others score higher: a way to something better may lead through it. Quantiles serve as bounds of the bins, since nobody
knows beforehand what values there will be; they move as more is seen. The archive is made anew from the view at each
proposal, of as much of the past as that shows.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from novum.core.model.candidate import Candidate, Cost, Genome
from novum.core.model.errors import StudyError
from novum.core.model.proposal import Proposal
from novum.core.model.study_view import StudyView
from novum.researchers.offspring import Parent, crossed, descended, is_crossed, mutant
from novum.researchers.random import fresh, success_rate

TRIES = 50
COSTS = ("state_floats", "parameters", "flop", "compute")
"""By construction, and last as screening has measured it, relative to the incumbent."""
UNKNOWN = -1
"""The bin of a value that is not known."""

Cell = tuple[int, ...]
"""The number of a bin for each axis."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A scored candidate and its behaviour: further metrics and costs by name, as far as they are known."""

    parent: Parent
    behaviour: Mapping[str, float]


@dataclass(frozen=True)
class ArchiveResearcher:
    """The Researcher port: children of elites, by mutation and crossover."""

    behaviour: str = ""
    """Axes of the grid, separated by commas: further metrics of the arena, state_floats, parameters, flop, compute.
    Without any, the first of these costs in which candidates differ, and every further metric as far as `cells` allow.
    """
    bins: Annotated[int, Ge(1)] = 3
    """Of each axis; fewer, down to 2, where the grid would have more than `cells`."""
    cells: Annotated[int, Ge(1)] = 81
    crossover: Annotated[float, Ge(0), Le(1)] = 0.25
    """Share of children that have two parents and no other change, where the space can cross."""
    explore: Annotated[float, Ge(0), Le(1)] = 0.1
    """Share of proposals drawn at random instead; two-gene changes come with probability `jump`."""
    jump: Annotated[float, Ge(0), Le(1)] = 0.3

    def propose(self, view: StudyView, rng: random.Random) -> Proposal | None:
        """A child of elites that has not been tried; a random one when none is found. Raises StudyError for no axis."""
        elites = list(self.archive(view).values())
        if rng.random() >= self.explore:
            tried = {Candidate(one.genome).id for one in view.past or view.tried}
            remark = f" (of the elites of {len(elites)} cells)" if len(elites) > 1 else ""
            for _ in range(TRIES):
                parents, genome = self._child(view, elites, rng)
                name = Candidate(genome).id
                if name not in view.known and name not in tried:
                    return descended(view, genome, parents, remark)
        genome_or_none = fresh(view.space, view, rng)
        if genome_or_none is None:
            return None
        return Proposal(genome_or_none, "drawn uniformly from the space", probability=success_rate(view))

    def archive(self, view: StudyView) -> dict[Cell, Parent]:
        """The elite of each occupied cell, in the order in which cells were first occupied. Raises StudyError."""
        solutions = solutions_of(view)
        return elites_of(solutions, self._bounds(self._axes(view, solutions), solutions))

    def _child(self, view: StudyView, elites: Sequence[Parent], rng: random.Random) -> tuple[Sequence[Parent], Genome]:
        """A genome and the elites that it comes from, each drawn uniformly."""
        if len(elites) > 1 and is_crossed(view.space, self.crossover, rng):
            one, other = rng.sample(elites, 2)
            return (one, other), crossed(view.space, one.genome, other.genome, rng)
        parent = rng.choice(elites)
        return (parent,), mutant(view.space, parent.genome, self.jump, rng)

    def _axes(self, view: StudyView, solutions: Sequence[Solution]) -> list[str]:
        """The names of the axes. Raises StudyError for one that there is not."""
        metrics = [one.name for one in view.spec.metrics]
        named = [one for name in self.behaviour.split(",") if (one := name.strip())]
        if wrong := next((name for name in named if name not in (*metrics, *COSTS)), None):
            allowed = ", ".join([*metrics, *COSTS])
            raise StudyError(f"researcher.options.behaviour: there is no {wrong!r}; choose from {allowed}")
        if named:
            return list(dict.fromkeys(named))
        known = {name: {one.behaviour[name] for one in solutions if name in one.behaviour} for name in COSTS}
        varied = [name for name in COSTS if len(known[name]) > 1]
        return [*varied[:1], *metrics][: max(1, int(math.log2(self.cells)))]

    def _bounds(self, axes: Sequence[str], solutions: Sequence[Solution]) -> dict[str, Sequence[float]]:
        """Where the bins of each axis begin, the first one left out."""
        bins = self.bins
        while bins > 2 and bins ** len(axes) > self.cells:
            bins -= 1
        return {
            axis: quantiles((one.behaviour[axis] for one in solutions if axis in one.behaviour), bins) for axis in axes
        }


def solutions_of(view: StudyView) -> list[Solution]:
    """What has a score: the incumbent, then the past as far as the view shows it, oldest first.

    Screening has been kind to what became incumbent, so its own hypothesis is left out: that would stand in its way.
    """
    found = [Solution(Parent(view.incumbent), _behaviour(view.others, view.cost, 1.0))]
    for one in view.past or view.tried:
        if math.isfinite(one.advantage) and one.genome != view.incumbent:
            behaviour = _behaviour(one.others, one.cost, one.compute)
            found.append(Solution(Parent(one.genome, one.id, one.advantage), behaviour))
    return found


def _behaviour(others: Mapping[str, float], cost: Cost | None, compute: float | None) -> dict[str, float]:
    costs = {name: float(getattr(cost, name)) for name in COSTS[:-1]} if cost else {}
    return {**costs, **({} if compute is None else {"compute": compute}), **others}


def quantiles(values: Iterable[float], bins: int) -> list[float]:
    """Where all bins but the first begin, so that each has as many of the distinct values as any other, or nearly.

    Distinct ones, since a value that nearly all share would otherwise take several bins, and leave one to the others.
    """
    distinct = sorted(set(values))
    starts = (math.ceil(len(distinct) * number / bins) for number in range(1, bins))
    return [distinct[start] for start in starts if start < len(distinct)]


def elites_of(solutions: Iterable[Solution], bounds: Mapping[str, Sequence[float]]) -> dict[Cell, Parent]:
    """The best of each cell; of equals the first. bounds: where the bins of each axis begin, the first one left out."""
    elites: dict[Cell, Parent] = {}
    for one in solutions:
        cell = tuple(
            bisect_right(starts, one.behaviour[axis]) if axis in one.behaviour else UNKNOWN
            for axis, starts in bounds.items()
        )
        if cell not in elites or one.parent.advantage > elites[cell].advantage:
            elites[cell] = one.parent
    return elites
