"""Trades at equal compute: a size for a length, such as half a batch for nearly twice as many steps.

Where a claim holds only at the incumbent's compute, a larger model, a larger batch or a longer run is none by itself.
How the cost of a run grows with a size is guessed at first, by the parameter's `cost`, and learned from what was
measured: cost = product over parameters of (value / value now) ** exponent, by ridge regression around the guesses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from novum.core.model.candidate import Scalar
from novum.researchers.line_search import is_ordered, neighbours
from novum.source.parameters import Parameter

WORTH_SPENDING = 0.9
"""A candidate that takes less than this share of the incumbent's compute may run longer."""
NOISE, DOUBT = 0.1, 0.5
"""Standard deviations: of the logarithm of a measured ratio, and of a guessed exponent."""
LEAST = 0.2
"""The least exponent of a length that is believed."""
AIM = 0.97
"""Of the incumbent's compute: few runs say what one takes, and those that were chosen said too little."""


class Measured(Protocol):
    """A point, and its CPU time over the incumbent's where that is known."""

    @property
    def point(self) -> Mapping[str, Scalar]: ...
    @property
    def compute(self) -> float | None: ...


@dataclass(frozen=True)
class Budgeted:
    """The parameters of a study by what they do to the cost of a run, where this is held to a limit."""

    limit: float | None
    neutral: Sequence[Parameter]
    sizes: Sequence[Parameter]
    length: Parameter | None
    exponents: Mapping[str, float] = field(default_factory=dict)
    """How the cost of a run grows with sizes and length."""

    @classmethod
    def of(cls, parameters: Sequence[Parameter], limit: float | None, measured: Sequence[Measured] = ()) -> Budgeted:
        """All are neutral where compute is free. measured: the incumbent's point last."""
        if limit is None:
            return cls(None, parameters, (), None)
        length = next((one for one in parameters if one.cost == 1.0 and not one.choices), None)
        sizes = [one for one in parameters if one.cost and one.cost != 1.0 and is_ordered(one)]
        every = [*sizes, *([length] if length else [])]
        exponents = learned({one.name: one.cost for one in every}, measured)
        return cls(limit, [one for one in parameters if not one.cost], sizes, length, exponents)

    def affords(self, compute: float | None) -> bool:
        """Whether a candidate of so many times the incumbent's compute may be claimed to be better."""
        return self.limit is None or compute is None or compute <= self.limit

    def trades(self, one: Parameter, now: Mapping[str, Scalar]) -> list[dict[str, Scalar]]:
        """A size one step down and one step up, each with the length that should pay for it."""
        before = now[one.name]
        assert not isinstance(before, str)
        found = []
        for value in neighbours(one, before) if one.choices else _halved_and_doubled(one, float(before)):
            if float(value) <= 0 or before <= 0:
                continue
            point = {one.name: value}
            cost = self.exponents[one.name]
            longer = self._length(now, float(before) / float(value), cost)
            if longer is not None:
                point |= longer
            elif (float(value) > float(before)) == (cost > 0):
                continue  # it would cost more, and nothing pays for it
            found.append(point)
        return found

    def respent(self, compute: float | None, now: Mapping[str, Scalar]) -> dict[str, Scalar] | None:
        """The length at which a candidate would take as much as the incumbent does, or None where it does already."""
        if compute is None or self.limit is None or WORTH_SPENDING <= compute <= self.limit:
            return None
        return self._length(now, AIM / compute, 1.0)

    def _length(self, now: Mapping[str, Scalar], ratio: float, cost: float) -> dict[str, Scalar] | None:
        """The length that makes up for a factor `ratio ** -cost` of the cost of a run.

        None where there is no length, or its range does not reach so far.
        """
        if self.length is None:
            return None
        assert self.length.low is not None and self.length.high is not None
        value = float(now[self.length.name]) * ratio ** (cost / max(LEAST, self.exponents[self.length.name]))
        if not self.length.low <= value <= self.length.high:
            return None
        new = self.length.shaped(value)
        return None if new == now[self.length.name] else {self.length.name: new}


def learned(guessed: Mapping[str, float], measured: Sequence[Measured]) -> dict[str, float]:
    """Exponents of the cost of a run, around the guesses. measured: points with their cost over the last one's."""
    names = list(guessed)
    if not names or len(measured) < 2:
        return dict(guessed)
    now = measured[-1].point
    rows, costs = [], []
    for one in measured[:-1]:
        ratios = [_ratio(one.point[name], now[name]) for name in names]
        if one.compute is not None and one.compute > 0 and None not in ratios:
            rows.append([math.log(ratio) / NOISE for ratio in ratios if ratio])
            costs.append(math.log(one.compute) / NOISE)
    prior = np.eye(len(names)) / DOUBT
    known = np.array([guessed[name] for name in names])
    left = np.vstack([np.array(rows).reshape(-1, len(names)), prior])
    right = np.concatenate([np.array(costs), prior @ known])
    found = np.linalg.lstsq(left, right, rcond=None)[0]
    return {name: float(value) for name, value in zip(names, found, strict=True)}


def _ratio(value: Scalar, now: Scalar) -> float | None:
    if isinstance(value, str) or isinstance(now, str) or value <= 0 or now <= 0:
        return None
    return float(value) / float(now)


def _halved_and_doubled(one: Parameter, before: float) -> list[Scalar]:
    """Half and twice a value, or its neighbours among small whole numbers, within the range."""
    assert one.low is not None and one.high is not None
    pair = (before - 1, before + 1) if one.integer and before < 6 else (before / 2, before * 2)
    return [one.shaped(value) for value in pair if one.low <= value <= one.high]
