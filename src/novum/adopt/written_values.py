"""The values behind a score that a script writes to a file, and the names that it collects them in.

Covered: entries of dictionaries, as literals, by `dict(...)` or by subscript; rows of a table under a literal header,
as lists or as formatted text. Not covered: rows whose header is made at run time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from novum.source.program_text import terminal
from novum.source.protected import assigned

_ROWS = frozenset({"writerow", "append", "write", "print"})
_SEPARATOR = re.compile(r"[,;\t]")

Statement = tuple[str, ast.stmt]
"""The function that a simple statement stands in, and the statement."""


@dataclass
class Written:
    """What makes the score that is written. values: expressions; names: what they are collected in; by function."""

    values: list[tuple[str, ast.expr]] = field(default_factory=list)
    names: set[tuple[str, str]] = field(default_factory=set)


def written_values(statements: Iterable[Statement], key: str) -> Written:
    """The values that are written under a key, of which the last part counts, or into a column of its name."""
    last = key.rpartition(".")[2]
    simple = list(statements)
    places = {place for _, node in simple for place in _headers(node, last)}
    found = Written()
    for scope, node in simple:
        values = [*_entries(node, last), *_cells(node, places)]
        found.values += [(scope, value) for value in values]
        if values:
            found.names |= {(scope, name) for name in assigned(node)}
    return found


def _entries(node: ast.stmt, last: str) -> Iterator[ast.expr]:
    """Values of entries of this key: `{"loss": x}`, `dict(loss=x)`, `d["loss"] = x`, `d["loss"].append(x)`."""
    for one in ast.walk(node):
        match one:
            case ast.Dict(keys=keys, values=values):
                yield from (value for name, value in zip(keys, values, strict=True) if _is(name, last))
            case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                yield from (word.value for word in keywords if word.arg == last)
            case ast.Call(func=ast.Attribute(value=ast.Subscript(slice=name), attr="append"), args=given):
                yield from given if _is(name, last) else ()
            case ast.Assign(targets=[ast.Subscript(slice=name)], value=value) if _is(name, last):
                yield value
            case _:
                pass


def _headers(node: ast.stmt, last: str) -> Iterator[tuple[int, int]]:
    """Where the column stands in the headers of a statement, and how many columns there are."""
    for one in ast.walk(node):
        names: list[str] = []
        if isinstance(one, ast.List | ast.Tuple):
            names = [str(cell.value) if isinstance(cell, ast.Constant) else "" for cell in one.elts]
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            names = [name.strip() for name in _SEPARATOR.split(one.value)]
        if last in names:
            yield names.index(last), len(names)


def _cells(node: ast.stmt, places: set[tuple[int, int]]) -> Iterator[ast.expr]:
    """Values that stand in the column in rows of as many columns as the header has."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or terminal(call.func) not in _ROWS:
            continue
        for row in call.args:
            cells: list[ast.expr] = []
            if isinstance(row, ast.List | ast.Tuple):
                cells = row.elts
            elif isinstance(row, ast.JoinedStr):
                cells = [part.value for part in row.values if isinstance(part, ast.FormattedValue)]
            yield from (cells[at] for at, count in places if count == len(cells) and _is_made(cells[at]))


def _is_made(cell: ast.expr) -> bool:
    return not isinstance(cell, ast.Constant)


def _is(node: ast.expr | None, last: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == last
