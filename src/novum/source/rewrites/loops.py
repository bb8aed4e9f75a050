"""Loops as the rewrites see them: the counter, how often, and fresh names."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from novum.source.program_text import Program, terminal
from novum.source.source_text import Edit

Loop = ast.For | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)


@dataclass(frozen=True, slots=True)
class Counter:
    """The counter of a `for ... in range(total)`; `edits` give it a name where it had none."""

    name: str
    total: str
    edits: tuple[Edit, ...] = ()


def counter(source: Program, loop: Loop) -> Counter | None:
    """The counter of a loop over a plain range, or None."""
    if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
        return None
    call = loop.iter
    if not isinstance(call, ast.Call) or terminal(call.func) != "range" or len(call.args) != 1 or call.keywords:
        return None
    total = source.source(call.args[0])
    if not isinstance(call.args[0], ast.Name | ast.Constant | ast.Attribute):
        total = f"({total})"
    name = loop.target.id
    if not name.startswith("_"):
        return Counter(name, total)
    name = fresh(source, "step")
    return Counter(name, total, (source.replace(loop.target, name),))


def fresh(source: Program, wish: str) -> str:
    """A name that the file does not use yet."""
    taken = {node.id for node in source.nodes if isinstance(node, ast.Name)}
    taken |= {node.arg for node in source.nodes if isinstance(node, ast.arg)}
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    return name


def nearest(source: Program, node: ast.AST) -> ast.AST | None:
    """The loop or function that a node stands in, whichever is nearer."""
    return source.above(node, (ast.For, ast.While, *_FUNCTIONS))


def function(source: Program, node: ast.AST) -> ast.AST:
    """The function that a node stands in, or the module."""
    return source.above(node, _FUNCTIONS) or source.tree
