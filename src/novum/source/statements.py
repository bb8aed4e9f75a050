"""Mutations of statements: deletion, swap of neighbours, negated conditions, other ranges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from novum.source.meaning import idle
from novum.source.program_text import Mutation, Program, terminal
from novum.source.source_text import Edit

_DELETABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.With)
_MOVABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While)


def statements(source: Program) -> Iterator[Mutation | None]:
    """All mutations of whole statements."""
    for body in source.bodies():
        yield from _deleted(source, body)
        yield from _neighbours(source, body)
    for node in source.nodes:
        if isinstance(node, ast.If | ast.IfExp):
            new = f"not ({source.source(node.test)})"
            yield source.mutation(
                "condition.negate", node.test, "negates the condition", source.replace(node.test, new)
            )
        elif isinstance(node, ast.For | ast.comprehension):
            yield from _range(source, node)


def _deleted(source: Program, body: list[ast.stmt]) -> Iterator[Mutation | None]:
    for node in body:
        if not isinstance(node, _DELETABLE) or idle(node):
            continue
        note = f"deletes `{_first_line(source, node)}`"
        if len(body) > 1 and source.alone(node) and not _is_branch(source, node, body):
            yield source.mutation("statement.delete", node, note, Edit(*source.lines(node), ""))
        else:
            yield source.mutation("statement.delete", node, note, source.replace(node, "pass"))


def _is_branch(source: Program, node: ast.stmt, body: list[ast.stmt]) -> bool:
    """An `elif`, whose span begins at its condition's keyword."""
    return isinstance(node, ast.If) and source.text.startswith("elif", source.span(node)[0]) and bool(body)


def _neighbours(source: Program, body: list[ast.stmt]) -> Iterator[Mutation | None]:
    for one, two in pairwise(body):
        if all(isinstance(node, _MOVABLE) and not idle(node) and source.alone(node) for node in (one, two)):
            edits = (source.replace(one, source.source(two)), source.replace(two, source.source(one)))
            yield source.mutation("statement.swap", one, "swaps two statements", *edits)


def _range(source: Program, node: ast.For | ast.comprehension) -> Iterator[Mutation | None]:
    call = node.iter
    if not isinstance(call, ast.Call) or terminal(call.func) != "range" or not call.args or call.keywords:
        return
    stop = call.args[min(1, len(call.args) - 1)]
    if isinstance(stop, ast.Constant | ast.Starred):
        return
    text = source.source(stop)
    for operator, new, note in (
        ("range.double", f"2 * ({text})", "doubles the range"),
        ("range.times", f"5 * ({text})", "makes the range five times as long"),
        ("range.shorten", f"({text}) - 1", "shortens the range by one"),
        ("range.lengthen", f"({text}) + 1", "lengthens the range by one"),
    ):
        yield source.mutation(operator, call, note, source.replace(stop, new))


def _first_line(source: Program, node: ast.stmt) -> str:
    line = source.source(node).split("\n")[0].strip()
    return line if len(line) <= 50 else line[:47] + "..."
