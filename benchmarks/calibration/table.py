"""Rows as plain tables: one for each noise and share of true effects."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

_EFFECTS = ("power_0.2", "power_0.5", "power_1", "power_2")


def table(rows: Iterable[dict[str, Any]]) -> str:
    """All rows, in the order given. Seeds are pairs of runs; gains are in sd of a paired difference."""
    cells = groupby(rows, key=lambda row: (row["noise"], row["share"], row["campaigns"]))
    return "\n\n".join(_cell(*key, list(group)) for key, group in cells)


def plain_table(rows: Iterable[dict[str, Any]]) -> str:
    """Rows with the same keys as they are."""
    found = list(rows)
    return _aligned([list(found[0]), *([_value(one) for one in row.values()] for row in found)])


def _value(one: Any) -> str:
    return "-" if one is None else f"{one:g}" if isinstance(one, float) else str(one)


def _cell(noise: str, share: float, campaigns: int, rows: list[dict[str, Any]]) -> str:
    head = f"{noise}, {share:.0%} of the hypotheses true, {campaigns} campaigns"
    names = ["method", "any false", "FDR"]
    if share:
        names += ["power", ".2/.5/1/2 sd", "seeds/hyp", "seeds/true", "claim", "fresh"]
        lines = [[*_errors(row), *_finds(row)] for row in rows]
    else:
        names += ["seeds/hyp", "claimed", "fresh gain", "mean E"]
        lines = [[*_errors(row), *_nothing(row)] for row in rows]
    return head + "\n" + _aligned([names, *lines])


def _errors(row: dict[str, Any]) -> list[str]:
    return [row["method"], _pm(row["any_false"], 3), _pm(row["fdr"], 3)]


def _finds(row: dict[str, Any]) -> list[str]:
    by_effect = "/".join("-" if row[name] is None else f"{row[name][0]:.2f}" for name in _EFFECTS)
    seeds = [_pm(row["seeds_per_hypothesis"], 2), _pm(row["seeds_per_true_discovery"], 1)]
    return [_pm(row["power"], 3), by_effect, *seeds, _percent(row["inflation"]), _percent(row["fresh_bias"])]


def _nothing(row: dict[str, Any]) -> list[str]:
    gains = [_pm(row["claimed_gain"], 2), _pm(row["fresh_gain"], 2)]
    return [_pm(row["seeds_per_hypothesis"], 2), *gains, _pm(row["null_evidence"], 3)]


def _pm(figure: tuple[float, float] | None, digits: int) -> str:
    return "-" if figure is None else f"{figure[0]:.{digits}f}±{figure[1]:.{digits}f}"


def _percent(figure: tuple[float, float] | None) -> str:
    """An excess over the true gain; a dash where the accepted changes made no gain together."""
    return "-" if figure is None else f"{100 * figure[0]:+.1f}±{100 * figure[1]:.1f}%"


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(text)
