"""One parameter at a time: a step to either side of the best known value, further where it gains, between where not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from novum.core.model.candidate import Scalar
from novum.source.parameters import Parameter

NEAR = 0.02
"""Values closer than this share of the range count as the same."""
WIDE = 0.2
"""A gap between tried values, as a share of the range, that is worth halving."""


def next_value(one: Parameter, now: Scalar, tried: Iterable[Scalar], *, halve: bool) -> Scalar | None:
    """The next value of a parameter to try beside the best known one, or None when its neighbourhood is known.

    tried: its values in points that differ from the best known one in little else. halve: whether wide gaps between
    the best value and its tried neighbours are looked into.
    """
    if not is_ordered(one):
        seen = {(type(value), value) for value in (*tried, now)}
        return next((choice for choice in one.choices if (type(choice), choice) not in seen), None)
    if one.choices:
        return _neighbour(one, now, list(tried))
    here = place(one, now)
    places = [place(one, value) for value in tried]
    above = min((at for at in places if at > here + NEAR), default=1.0 if here > 1 - NEAR else None)
    below = max((at for at in places if at < here - NEAR), default=0.0 if here < NEAR else None)
    for up in (True, False) if one.log else (False, True):
        if up and above is None:
            return value_at(one, (here + 1) / 2 if here < 1 - 4 * NEAR else 1.0)
        if not up and below is None:
            at_end = here < 4 * NEAR or (not one.log and one.low == 0 and here <= 0.5)
            return value_at(one, 0.0 if at_end else here / 2)
    assert above is not None and below is not None
    if not halve or max(above - here, here - below) < WIDE:
        return None
    found = value_at(one, (here + above) / 2 if above - here > here - below else (here + below) / 2)
    return None if found == now else found


def is_ordered(one: Parameter) -> bool:
    """Whether its values are numbers."""
    return not one.choices or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in one.choices
    )


def place(one: Parameter, value: Scalar) -> float:
    """Where in its range a value lies, from 0 to 1."""
    assert one.low is not None and one.high is not None and not isinstance(value, str)
    at, low, high = (math.log(x) if one.log else x for x in (max(float(value), one.low), one.low, one.high))
    return min(1.0, (at - low) / (high - low))


def value_at(one: Parameter, at: float) -> Scalar:
    """The value at a place in its range."""
    assert one.low is not None and one.high is not None
    low, high = (math.log(x) if one.log else x for x in (one.low, one.high))
    value = low + min(1.0, max(0.0, at)) * (high - low)
    return one.shaped(min(one.high, max(one.low, math.exp(value) if one.log else value)))


def neighbours(one: Parameter, now: Scalar) -> Sequence[Scalar]:
    """The next lower and the next higher value among ordered choices, as far as there are any."""
    order = sorted(one.choices, key=lambda value: float(value))
    lower = [value for value in order if float(value) < float(now)]
    higher = [value for value in order if float(value) > float(now)]
    return [*lower[-1:], *higher[:1]]


def _neighbour(one: Parameter, now: Scalar, tried: Sequence[Scalar]) -> Scalar | None:
    return next((value for value in neighbours(one, now) if value not in tried), None)
