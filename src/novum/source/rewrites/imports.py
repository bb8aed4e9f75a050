"""Where an import can be added inside what may be changed: at the top, at the head of the function, or just before."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from novum.source.meaning import idle
from novum.source.program_text import Program
from novum.source.source_text import Edit

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def import_edit(
    source: Program, node: ast.expr | ast.stmt, wanted: Sequence[tuple[str, str]]
) -> tuple[Edit, ...] | None:
    """The edits that import names from modules for use at `node`: none needed, one, or None when there is no place.

    A module with an empty name is imported as a whole.
    """
    there = {
        (top.module, alias.name)
        for top in source.tree.body
        if isinstance(top, ast.ImportFrom) and not top.level
        for alias in top.names
        if alias.asname is None
    }
    there |= {
        (alias.name, "")
        for top in source.tree.body
        if isinstance(top, ast.Import)
        for alias in top.names
        if alias.asname is None
    }
    missing = sorted(set(wanted) - there)
    if not missing:
        return ()
    lines = [f"from {module} import {name}\n" if name else f"import {module}\n" for module, name in missing]
    for at, indent in (*_top(source, node), *_inside(source, node)):
        if source.open(at, at):
            lead = "\n" if at and source.text[at - 1] != "\n" else ""
            return (Edit(at, at, lead + "".join(indent + line for line in lines)),)
    return None


def _top(source: Program, node: ast.expr | ast.stmt) -> list[tuple[int, str]]:
    """Places among the top statements above `node`: after the last import, else before the first statement."""
    above = [top for top in source.tree.body if top.lineno < source.statement(node).lineno or _holds(top, node)]
    places = [
        (source.lines(top)[1], "")
        for top in reversed(above)
        if isinstance(top, ast.Import | ast.ImportFrom) and source.alone(top)
    ]
    future = [top for top in above if isinstance(top, ast.ImportFrom) and top.module == "__future__"]
    low = source.lines(future[-1])[1] if future else 0
    for top in above:
        start = _first(source, top)
        if start >= low and not idle(top) and source.alone(top):
            places.append((start, ""))
    return places


def _inside(source: Program, node: ast.expr | ast.stmt) -> list[tuple[int, str]]:
    places = []
    home = source.above(node, _FUNCTIONS)
    if isinstance(home, ast.FunctionDef | ast.AsyncFunctionDef):
        body = [item for item in home.body if not idle(item)] or home.body
        places.append(body[0])
    places.append(source.statement(node))
    return [(_first(source, item), source.indent(item)) for item in places if source.alone(item)]


def _first(source: Program, node: ast.stmt) -> int:
    """Where the lines of a statement begin, those of its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    line = min([node.lineno, *(item.lineno for item in decorators)])
    return source.offset(line)


def _holds(top: ast.stmt, node: ast.expr | ast.stmt) -> bool:
    return top.lineno <= node.lineno <= (top.end_lineno or top.lineno)
