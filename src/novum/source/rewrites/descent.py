"""Iterations made better: momentum, root-mean-square scaling and decay for descent steps; more of them where cheap.

Momentum: Polyak, USSR Comput. Math. 4(5), 1964. Scaling: RMSprop, Hinton's Coursera lecture 6e, 2012.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from novum.source.literals import skeleton
from novum.source.program_text import Mutation, Program
from novum.source.rewrites.loops import counter, fresh
from novum.source.source_text import Edit

_STEP = re.compile(
    r"(?:^|[^a-z])(?:lr|eta|alpha|gamma|step|rate|learning_rate|grad|gradient|dw|db|delta)", re.IGNORECASE
)
_EFFORT = re.compile(
    r"iter|step|epoch|trial|round|samples|restart|budget|evals|estimators|generation|population|attempt|sweeps|passes",
    re.IGNORECASE,
)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Rewrites of descent steps, and longer runs."""
    yield from _longer(source)
    for node in source.nodes:
        if not isinstance(node, ast.AugAssign | ast.Assign):
            continue
        loop = source.above(node, (ast.For, ast.While))
        if isinstance(loop, ast.For | ast.While) and source.alone(node) and source.alone(loop):
            yield from _steps(source, node, loop)


def _longer(source: Program) -> Iterator[Mutation | None]:
    for literal in skeleton(source.text, source.path).literals:
        if type(literal.value) is int and 2 < literal.value < 10**6 and _EFFORT.search(literal.name):
            for factor in (10, 3):
                edit = literal.edit(literal.value * factor)
                note = f"multiplies by {factor} {literal.name}"
                yield Mutation("rewrite.longer", source.path, literal.line, (edit,), note)


def _steps(source: Program, node: ast.AugAssign | ast.Assign, loop: ast.For | ast.While) -> Iterator[Mutation | None]:
    found = _descent(source, node)
    if found is None:
        return
    target, sign, value = found
    step = source.source(value)
    pad, (start, _) = source.indent(node), source.lines(loop)
    count = counter(source, loop)
    if count is not None:
        edit = source.replace(value, f"(1 - {count.name} / {count.total}) * ({step})")
        yield source.mutation("rewrite.decay", node, f"lets the step of {target} fall to zero", edit, *count.edits)
    past = fresh(source, "velocity")
    begin = Edit(start, start, f"{source.indent(loop)}{past} = 0.0\n")
    new = f"{past} = 0.9 * {past} + ({step})\n{pad}{target} {sign}= {past}"
    yield source.mutation("rewrite.momentum", node, f"adds momentum to {target}", begin, source.replace(node, new))
    past = fresh(source, "square")
    begin = Edit(start, start, f"{source.indent(loop)}{past} = 0.0\n")
    new = (
        f"{past} = 0.9 * {past} + 0.1 * ({step}) ** 2\n{pad}{target} {sign}= 0.01 * ({step}) / ({past} ** 0.5 + 1e-12)"
    )
    yield source.mutation("rewrite.scaled", node, f"scales the step of {target}", begin, source.replace(node, new))


def _descent(source: Program, node: ast.AugAssign | ast.Assign) -> tuple[str, str, ast.expr] | None:
    """(variable, sign, step) of `x -= step` or `x = x - step`, where the step looks like a rate times a gradient."""
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    operation = node if isinstance(node, ast.AugAssign) else node.value
    if not isinstance(operation, ast.AugAssign | ast.BinOp) or not isinstance(operation.op, ast.Add | ast.Sub):
        return None
    if isinstance(operation, ast.BinOp) and source.source(operation.left) != source.source(target):
        return None
    value = operation.right if isinstance(operation, ast.BinOp) else operation.value
    product = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div)
    if not product or not _STEP.search(source.source(value)):
        return None
    return source.source(target), "+" if isinstance(operation.op, ast.Add) else "-", value
