"""Numbers in words, with as many digits as it takes to tell two of them apart."""

from __future__ import annotations

from collections.abc import Iterable

from novum.audit.score_checks import close

FEWEST, MOST = 6, 17
"""Digits: 17 tell any two doubles apart."""

Figure = tuple[str, float | None, float | None]
"""A name, what was recorded, and what is right."""


def two(recorded: float, honest: float) -> tuple[str, str]:
    """Both, with six digits, or with as many more as it takes until they differ."""
    for digits in range(FEWEST, MOST + 1):
        pair = f"{recorded:.{digits}g}", f"{honest:.{digits}g}"
        if pair[0] != pair[1]:
            break
    return pair


def differing(figures: Iterable[Figure]) -> str:
    """The figures that differ by more than their last digits, in words; empty when none does."""
    return ", ".join(_words(*one) for one in figures if not _same(one[1], one[2]))


def _same(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else close(one, other)


def _words(name: str, recorded: float | None, honest: float | None) -> str:
    if recorded is None or honest is None:
        return f"{name} {recorded} where {honest} follows"
    one, other = two(recorded, honest)
    return f"{name} {one} where {other} follows"
