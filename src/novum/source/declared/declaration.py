"""One value that a file declares, and the label that finds it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from novum.core.model.candidate import Scalar

How = Literal["argument", "constant", "field", "key"]

LARGEST = 10**15
"""Whole numbers beyond it are no settings: they are identifiers, bit masks or times."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A value, and the characters [start, end) of its literal.

    place: a label that is unique in its file and stays when values change, such as `--lr` or `Config.lr`. name: the
    plain name. choices: the values that the file allows, none where it does not say. doc: its help text or comment.
    """

    place: str
    name: str
    value: Scalar
    start: int
    end: int
    how: How
    choices: tuple[Scalar, ...] = ()
    doc: str = ""
    line: int = 0


def numbered(found: Iterable[Declared]) -> tuple[Declared, ...]:
    """The declarations in the order of the text, with places that differ: the second `--lr` becomes `--lr#2`."""
    seen: Counter[str] = Counter()
    unique: list[Declared] = []
    for one in sorted(found, key=lambda one: (one.start, one.end)):
        if unique and one.start < unique[-1].end:
            continue  # one literal, declared in two ways
        seen[one.place] += 1
        count = seen[one.place]
        unique.append(replace(one, place=f"{one.place}#{count}") if count > 1 else one)
    return tuple(unique)


def same(one: Scalar, other: Scalar) -> bool:
    """Whether two values are equal and of one type, which `True == 1` is not."""
    return type(one) is type(other) and one == other
