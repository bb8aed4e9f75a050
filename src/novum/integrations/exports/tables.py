"""Tables without a file format: named columns of one type each, one row per thing.

Types: text, whole numbers, real numbers, yes or no, moments in UTC. An empty cell is None, never a number that stands
for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from novum.core.model.candidate import Scalar

Value = str | int | float | bool | datetime | None
Form = type[str] | type[int] | type[float] | type[bool] | type[datetime]
Row = Mapping[str, Value]

# Terminal escapes, other control characters, and the marks that reverse or hide text. Tab and newline stay.
_UNSEEN = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A name and the type of everything in it."""

    name: str
    form: Form


@dataclass(frozen=True, slots=True)
class Table:
    """A name, columns, and rows with one value (or None) per column."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


def clean(text: str) -> str:
    """Text that anybody may have written, without what a terminal or a bidirectional renderer would obey."""
    return _UNSEEN.sub("", text)


def moment(microseconds: int) -> datetime | None:
    """Microseconds since the epoch in UTC; None for 0, which stands for never."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC) if microseconds else None


def spread(prefix: str, values: Mapping[str, Scalar]) -> dict[str, Value]:
    """A genome or a setting as columns of its own: gene_depth, gene_norm."""
    return {f"{prefix}_{clean(name)}": value for name, value in values.items()}


def table(name: str, declared: Mapping[str, Form], rows: Iterable[Row]) -> Table:
    """A table of the declared columns, present in any case, and of all others that the rows have.

    Others get the narrowest type that holds all of their values, and stand in the order of their prefix.
    """
    known = list(rows)
    columns = [Column(column, form) for column, form in declared.items()]
    columns += _others(declared, known)
    return Table(name, tuple(columns), tuple(tuple(_fit(row.get(c.name), c.form) for c in columns) for row in known))


def _others(declared: Mapping[str, Form], rows: Sequence[Row]) -> list[Column]:
    forms: dict[str, set[type]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in declared:
                forms.setdefault(name, set()).add(type(value))
    prefixes = list(dict.fromkeys(name.partition("_")[0] for name in forms))
    names = sorted(forms, key=lambda name: prefixes.index(name.partition("_")[0]))
    return [Column(name, _narrowest(forms[name] - {type(None)})) for name in names]


def _narrowest(forms: set[type]) -> Form:
    if forms == {bool}:
        return bool
    if forms == {int}:
        return int
    return float if forms and forms <= {int, float} else str


def _fit(value: Value, form: Form) -> Value:
    if value is None or isinstance(value, datetime):
        return value
    if form is str:
        return clean(str(value) if isinstance(value, str) else written(value))
    return float(value) if form is float else value


def written(value: Value) -> str:
    """A value as text: numbers without loss, true and false, moments as ISO 8601, nothing for None."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return "" if value is None else str(value)
