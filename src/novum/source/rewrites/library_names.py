"""Names of a library in a file: what a dotted name stands for, how to write one, and keywords of calls."""

from __future__ import annotations

import ast
from functools import lru_cache

from novum.source.literals import written
from novum.source.program_text import Program
from novum.source.rewrites.imports import import_edit
from novum.source.source_text import Edit

_ATOMS = (ast.Name, ast.Attribute, ast.Constant, ast.Call, ast.Subscript)


@lru_cache(maxsize=64)
def _aliases(source: Program) -> dict[str, str]:
    """Names that imports of the file set, with the dotted names that they stand for."""
    found: dict[str, str] = {}
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def full_name(source: Program, node: ast.expr) -> str:
    """The dotted name that an expression stands for by the imports: `nn.ReLU` -> `torch.nn.ReLU`, else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    root = _aliases(source).get(node.id, "")
    return ".".join([root, *reversed(parts)]) if root else ""


def calls(source: Program, prefix: str) -> list[tuple[ast.Call, str]]:
    """The calls of what lies directly under a module, each with its name there."""
    found = []
    for node in source.nodes:
        if isinstance(node, ast.Call) and (full := full_name(source, node.func)).startswith(f"{prefix}."):
            name = full.removeprefix(f"{prefix}.")
            if "." not in name:
                found.append((node, name))
    return found


def local_name(source: Program, full: str) -> str | None:
    """How the file can write a dotted name with the imports that it has."""
    whole = [
        (stands, alias) for alias, stands in _aliases(source).items() if full == stands or full.startswith(f"{stands}.")
    ]
    if not whole:
        return None
    stands, alias = max(whole, key=lambda pair: (len(pair[0]), pair[1]))
    return alias + full[len(stands) :]


def reached(source: Program, node: ast.expr | ast.stmt, full: str) -> tuple[str, tuple[Edit, ...]] | None:
    """How to write a dotted name at `node`, with the edits that import what it needs; None when there is no place."""
    if (name := local_name(source, full)) is not None:
        return name, ()
    module = full.split(".")[0]
    edits = import_edit(source, node, [(module, "")])
    return None if edits is None else (full, edits)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword of a call."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def argument(call: ast.Call, name: str, place: int) -> ast.expr | None:
    """The value of an argument that is given by its name or its place."""
    return call.args[place] if len(call.args) > place else keyword(call, name)


def with_keyword(source: Program, call: ast.Call, name: str, value: str) -> Edit:
    """Set a keyword of a call that takes no `**` argument."""
    if (there := keyword(call, name)) is not None:
        return source.replace(there, value)
    items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if not items:
        end = source.span(call)[1] - 1
        return Edit(end, end, f"{name}={value}")
    end = max(source.span(item)[1] for item in items)
    return Edit(end, end, f", {name}={value}")


def plain(call: ast.Call) -> bool:
    """Whether all arguments of a call are visible: no `*` and no `**`, no bare generator."""
    starred = any(isinstance(item, ast.Starred | ast.GeneratorExp) for item in call.args)
    return not starred and all(item.arg for item in call.keywords)


def number(node: ast.expr | None) -> float | None:
    """The value of a literal number, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    return None


def bracketed(source: Program, node: ast.expr) -> str:
    """The text of an expression, in brackets unless it is a name, a literal, a call or an element."""
    text = source.source(node)
    return text if isinstance(node, _ATOMS) else f"({text})"


def scaled(source: Program, node: ast.expr, factor: float) -> str:
    """The text of an expression times a factor; literals and earlier factors are multiplied out."""
    if (value := number(node)) is not None:
        return written(value * factor)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and (before := number(node.right)) is not None:
        product = float(f"{before * factor:.6g}")
        left = source.source(node.left)
        return left if product == 1 else f"{left} * {written(product)}"
    return bracketed(source, node) if factor == 1 else f"{bracketed(source, node)} * {written(float(factor))}"
