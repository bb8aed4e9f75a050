"""Whether one architecture scales better than another: the laws of both, and intervals of their differences.

"Scales better" is said where two things are shown: its loss less its floor E falls faster with compute, by gamma, the
exponent of the frontier, and its loss is lower at the largest compute. An exponent alone is not enough, since of two
laws with nearly the same losses the one with the higher floor has the larger exponent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from novum.core.model.errors import StudyError
from novum.scaling.fit import Fit
from novum.scaling.interval import Interval
from novum.scaling.law import FLOP_PER_PARAMETER_TOKEN, ScalingLaw
from novum.scaling.solvers.likelihood import ends
from novum.scaling.solvers.precision import precision

Floats = npt.NDArray[np.float64]

LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Difference:
    """First less second, with its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Comparison:
    """Two architectures by name, and the differences between them: of E, alpha, beta, a, gamma and "loss".

    The loss is that of the best split of `compute` FLOP, for each by its own law. paired: whether both have the same
    cells, so that noise which they share (data order, seeds) was taken off.
    """

    first: str
    second: str
    compute: float
    paired: bool
    laws: tuple[ScalingLaw, ScalingLaw]
    differences: Mapping[str, Difference]

    @property
    def falls_faster(self) -> bool:
        """Whether the first's reducible loss is shown to fall faster with compute."""
        return self.differences["gamma"].interval.low > 0

    @property
    def lower_loss(self) -> bool:
        """Whether the first's loss is shown to be lower at the largest compute."""
        return self.differences[LOSS].interval.high < 0

    @property
    def scales_better(self) -> bool:
        """Whether both are shown."""
        return self.falls_faster and self.lower_loss

    @property
    def sentence(self) -> str:
        """What may be said, and no more."""
        where = f"{self.compute:.3g} FLOP"
        if self.scales_better:
            said = f"{self.first} scales better than {self.second}: its loss falls faster and is lower at {where}"
        elif self.falls_faster:
            said = (
                f"the loss of {self.first} falls faster towards its own floor than that of {self.second}, but a lower "
                f"loss at {where} is not shown, so that it scales better is not shown"
            )
        elif self.lower_loss:
            said = (
                f"{self.first} has a lower loss than {self.second} at {where}; "
                "that it scales better is not shown, since its exponent may be the same or smaller"
            )
        else:
            said = f"it is not shown that {self.first} scales better than {self.second}"
        return f"{said} ({self._figures()})"

    def _figures(self) -> str:
        gamma, loss = self.differences["gamma"], self.differences[LOSS]
        level = f"{100 * gamma.interval.level:g} %"
        return (
            f"exponent {gamma.value:+.3g}, {level} {gamma.interval.low:+.3g} to {gamma.interval.high:+.3g}; "
            f"loss {loss.value:+.3g}, {loss.interval.low:+.3g} to {loss.interval.high:+.3g}"
        )


def compare(
    first: Fit[ScalingLaw],
    second: Fit[ScalingLaw],
    *,
    names: tuple[str, str] = ("the first", "the second"),
    compute: float | None = None,
    flop_per_parameter_token: float = FLOP_PER_PARAMETER_TOKEN,
) -> Comparison:
    """Two fits at one level. compute: FLOP, by default the largest that both designs have.

    Intervals of differences combine those of both (Zou, Psychological Methods 12, 2007), which keeps their skew. Where
    the cells are the same, the correlation of the two errors is estimated from the residuals cell by cell. Raises
    StudyError where the levels differ.
    """
    if first.level != second.level:
        raise StudyError(f"levels {first.level:g} and {second.level:g}: fit both at the same level")
    if compute is None:
        compute = min(_largest(one) * flop_per_parameter_token for one in (first, second))
    paired = [one.place for one in first.cells] == [one.place for one in second.cells]
    sides = [_Side.of(one, compute, flop_per_parameter_token) for one in (first, second)]
    found = {}
    for at, name in enumerate(sides[0].names):
        ours, theirs = (one.influence[at] for one in sides)
        correlation = _correlation(ours, theirs) if paired else 0.0
        found[name] = _difference(sides[0].values[at], sides[1].values[at], correlation, first.level)
    return Comparison(*names, compute, paired, (first.law, second.law), found)


@dataclass(frozen=True)
class _Side:
    """Of one fit: (low, value, high) of each number in its own units, and the influence of each cell on it."""

    names: tuple[str, ...]
    values: tuple[Floats, ...]
    influence: Floats

    @classmethod
    def of(cls, fit: Fit[ScalingLaw], compute: float, flop: float) -> _Side:
        best = fit.law.optimum(compute, flop)
        loss = fit.places.at((best.parameters, best.tokens))
        named = {name: one for name, one in fit.places.named().items() if name not in ("A", "B")}
        known = precision(fit.rows, fit.solution, [*named.values(), loss])
        alone = precision(fit.rows, fit.solution, [loss])
        low, high = ends(fit.rows, fit.solution, [loss], alone, fit.level)
        values = [np.array([fit.intervals[one].low, getattr(fit.law, one), fit.intervals[one].high]) for one in named]
        values.append(np.array([low[0, 0], best.loss, high[0, 0]]))
        return cls((*named, LOSS), tuple(values), known.influence[0])


def _difference(ours: Floats, theirs: Floats, correlation: float, level: float) -> Difference:
    value = float(ours[1] - theirs[1])
    down = _combined(ours[1] - ours[0], theirs[2] - theirs[1], correlation)
    up = _combined(ours[2] - ours[1], theirs[1] - theirs[0], correlation)
    return Difference(value, Interval(value - down, value + up, level))


def _combined(one: float, other: float, correlation: float) -> float:
    if math.isinf(one) or math.isinf(other):
        return math.inf  # else the product of zero and infinity would make it zero
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _correlation(ours: Floats, theirs: Floats) -> float:
    size = math.sqrt(float((ours**2).sum() * (theirs**2).sum()))
    return float((ours * theirs).sum()) / size if size > 0 else 0.0


def _largest(fit: Fit[ScalingLaw]) -> float:
    return max(cell.place[0] * cell.place[1] for cell in fit.cells)
