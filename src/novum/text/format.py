"""Formatting for people: numbers, durations, differences, long values, in one line and free of control characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from novum.text.canonical_json import short
from novum.text.clean import printable

T = TypeVar("T")
_BARS = "▁▂▃▄▅▆▇█"


def written(value: str | float | None) -> str:
    """A gene's value; a file of a source tree by its length and content address."""
    if isinstance(value, str) and "\n" in value:
        lines = value.count("\n")
        return f"{lines:,} line{'' if lines == 1 else 's'} ({short(value)[:6]})"
    return str(value)


def clean(text: str) -> str:
    """Text that anybody may have written, without what a terminal or a bidirectional renderer would obey."""
    return printable(text)


def in_one_line(text: str) -> str:
    """The same in one line, never cut."""
    return " ".join(printable(text).split())


def cut(text: str, length: int) -> str:
    """The same, at most `length` characters."""
    line = in_one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


def number(value: float | None, digits: int = 4) -> str:
    """Significant digits without padding, thousands separated; a dash for None."""
    if value is None:
        return "–"
    if math.isfinite(value) and (value == int(value) or abs(value) >= 10**digits) and abs(value) < 1e9:
        return f"{round(value):,}"
    return f"{value:,.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def signed(value: float | None) -> str:
    """A difference, with its sign."""
    return "–" if value is None else f"{value:+.3g}"


def effect_text(effect: float | None, interval: tuple[float, float] | None, level: float) -> str:
    """An effect with its interval at `level`."""
    if effect is None:
        return "effect unknown"
    return f"effect {signed(effect)}" + (
        f" ({100 * level:g} % {signed(interval[0])} .. {signed(interval[1])})" if interval else ""
    )


def seconds(value: float) -> str:
    """A duration for people: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def moment(microseconds: int) -> str:
    """Microseconds since the epoch as UTC date and time."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def thinned(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items, evenly spread, first and last among them."""
    if len(items) <= limit:
        return list(items)
    return [items[round(number * (len(items) - 1) / (limit - 1))] for number in range(limit)]


def sparkline(values: Sequence[float]) -> str:
    """Finite numbers as bars of eight heights between the lowest and the highest of them."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = high - low
    return "".join(_BARS[round((value - low) / span * 7) if span > 0 else 0] for value in values)


def counted(n: int, one: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
