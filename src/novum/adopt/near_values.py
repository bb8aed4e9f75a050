"""Ranges and choices around the value that a setting has now, which is never at the edge of a range."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from novum.core.model.candidate import Scalar


@dataclass(frozen=True, slots=True)
class Span:
    """Values that a setting may have: all between two ends, or some choices. Empty where there are none."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Scalar, ...] = ()


def decades(value: float, least: float, most: float, factor: float = 30.0) -> Span:
    """About a factor to both sides, ends of the form 1 or 3 times a power of ten, inside bounds where these allow."""
    if value < 0:
        return Span()
    if value == 0:
        powers = [float(f"1e{power}") for power in range(-5, 0)]
        return Span(choices=(0.0, *(power for power in powers if least <= power <= most)))
    low, high = max(_snapped(value / factor), least), min(_snapped(value * factor), most)
    low = low if low < value else _snapped(value / 3.3)
    high = high if high > value else _snapped(value * 3.3)
    return Span(low, high, log=True)


def _snapped(value: float) -> float:
    """The nearest number that is 1 or 3 times a power of ten."""
    power = math.floor(math.log10(value))
    grid = [float(f"{digit}e{power + shift}") for shift in (0, 1) for digit in (1, 3)]
    return min(grid, key=lambda one: abs(math.log(one / value)))


def averaging(value: float) -> Span:
    """A share of the past that a moving average keeps: momentum, betas, discounts."""
    if not 0 <= value < 1:
        return Span()
    if value <= 0.5:
        return Span(0.0, 0.99)
    high = next(one for one in (0.9999, 0.99999, 0.9999999, 1.0) if one > value)
    return Span(0.5, high)


def share(value: float) -> Span:
    """A probability or a part of a whole."""
    if not 0 <= value <= 1:
        return Span()
    if value < 0.55:
        return Span(0.0, 0.6)
    return Span(0.1, 1.0) if value > 0.85 else Span(0.0, 0.95)


def doubled(value: int, steps: int = 2) -> tuple[int, ...]:
    """The value halved and doubled up to some times, whole numbers from 1 on."""
    halves = [value >> step for step in range(steps, 0, -1) if value % (1 << step) == 0]
    return (*halves, value, *(value << step for step in range(1, steps + 1)))


def sizes(value: float) -> Span:
    """A size, a quarter of it to four times of it."""
    if not isinstance(value, int) or value < 1:
        return Span()
    found = doubled(value)
    if len(found) == 3:  # an odd number has no halves
        found = tuple(sorted({max(1, value // 4), max(1, value // 2), *found}))
    return Span(choices=tuple(found))


def whole(value: float, low: int, high: int, *, log: bool = False) -> Span:
    """Whole numbers around a whole number."""
    if not isinstance(value, int) or value < 0:
        return Span()
    return Span(min(low, value), max(high, value + 1), log=log and low > 0)


def times(value: float, factor: int = 4) -> Span:
    """An amount of work: a part of it to a multiple of it."""
    if value <= 0:
        return Span()
    if isinstance(value, int):
        return whole(value, max(1, value // factor), value * factor, log=True)
    return Span(value / factor, value * factor, log=True)


def options(values: Iterable[Scalar]) -> Span:
    """Choices, where there are at least two."""
    found = tuple(dict.fromkeys(values))
    return Span(choices=found) if len(found) > 1 else Span()
