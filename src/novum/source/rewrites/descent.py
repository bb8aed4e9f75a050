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
    key, kept = "", loop
    if isinstance(loop, ast.For) and _names(loop.target) & _names(target):
        # The loop runs over parameters: each needs a velocity of its own, which outlives the loop.
        outer = source.above(loop, (ast.For, ast.While))
        key = _key(target, loop)
        if not key or not isinstance(outer, ast.For | ast.While) or not source.alone(outer):
            return
        kept = outer
    name, step = source.source(target), source.source(value)
    pad, (start, _) = source.indent(node), source.lines(kept)
    count = counter(source, kept)
    if count is not None:
        edit = source.replace(value, f"(1 - {count.name} / {count.total}) * ({step})")
        yield source.mutation("rewrite.decay", node, f"lets the step of {name} fall to zero", edit, *count.edits)
    for kind, words, rule, used in (
        ("momentum", f"adds momentum to {name}", "0.9 * {before} + ({step})", "{now}"),
        ("scaled", f"scales the step of {name}", "0.9 * {before} + 0.1 * ({step}) ** 2",
         "0.01 * ({step}) / ({now} ** 0.5 + 1e-12)"),
    ):  # fmt: skip
        past = fresh(source, "velocity" if kind == "momentum" else "square")
        begin = Edit(start, start, f"{source.indent(kept)}{past} = {'{}' if key else '0.0'}\n")
        now, before = (f"{past}[{key}]", f"{past}.get({key}, 0.0)") if key else (past, past)
        new = f"{now} = {rule.format(before=before, step=step)}\n{pad}{name} {sign}= {used.format(now=now, step=step)}"
        yield source.mutation(f"rewrite.{kind}", node, words, begin, source.replace(node, new))


def _key(target: ast.expr, loop: ast.For) -> str:
    """The name of the loop's that a target is indexed by, or ""."""
    index = target.slice if isinstance(target, ast.Subscript) else None
    return index.id if isinstance(index, ast.Name) and index.id in _names(loop.target) else ""


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _descent(source: Program, node: ast.AugAssign | ast.Assign) -> tuple[ast.expr, str, ast.expr] | None:
    """(target, sign, step) of `x -= step` or `x = x - step`, where the step looks like a rate times a gradient."""
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
    return target, "+" if isinstance(operation.op, ast.Add) else "-", value
