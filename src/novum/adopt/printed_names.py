"""Names that a script keeps for its reports alone: running means of a loss, times, counters that only prints read.

Static and silent when in doubt: a name counts only if every place that reads it prints, or sets another such name, and
nothing that sets it does more than arithmetic.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from novum.core.model.errors import StudyError
from novum.source.meaning import is_python, parsed
from novum.source.program_text import terminal
from novum.source.protected import inner_blocks, is_printing

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_HARMLESS = frozenset(
    {"item", "float", "int", "len", "round", "mean", "sum", "max", "min", "abs", "time", "perf_counter", "detach",
     "cpu", "numpy", "tolist", "str", "format", "exp", "log", "sqrt", "sorted"}
)  # fmt: skip
"""Calls that do nothing but compute a value."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A simple statement of a scope: the names that it sets and reads, and whether it prints, or does more than set."""

    sets: frozenset[str]
    reads: frozenset[str]
    prints: bool
    plain: bool


def printed_names(files: Mapping[str, str]) -> list[str]:
    """Such names, as "file: name" or "file: function.name", in their order."""
    found = []
    for path, text in files.items():
        if not is_python(path):
            continue
        try:
            tree = parsed(text, path)
        except StudyError:
            continue
        others = "\n".join(other for name, other in files.items() if name != path and is_python(name))
        for scope, body, inner in _scopes(tree.body, ""):
            names = sorted(_only_printed(list(_statements(body))) - inner)
            if not scope:
                names = [one for one in names if not re.search(rf"\b{re.escape(one)}\b", others)]
            found += [f"{path}: {scope}.{one}" if scope else f"{path}: {one}" for one in names]
    return found


def _scopes(body: list[ast.stmt], scope: str) -> Iterator[tuple[str, list[ast.stmt], set[str]]]:
    """Each module or function with the names that occur in scopes within it."""
    nested = [one for node in body for one in _outermost(node)]
    inner = {name for one in nested for name in _all_names(one)}
    yield scope, body, inner
    for one in nested:
        if isinstance(one, (*_FUNCTIONS, ast.ClassDef)):
            name = f"{scope}.{one.name}" if scope else one.name
            if isinstance(one, ast.ClassDef):
                for method in one.body:
                    if isinstance(method, _FUNCTIONS):
                        yield from _scopes(method.body, f"{name}.{method.name}")
            else:
                yield from _scopes(one.body, name)


def _outermost(node: ast.AST) -> Iterator[ast.AST]:
    """The scopes directly within a node."""
    if isinstance(node, _SCOPES):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost(child)


def _all_names(node: ast.AST) -> set[str]:
    declared = {name for one in ast.walk(node) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names}
    return declared | {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _statements(body: list[ast.stmt]) -> Iterator[_Statement]:
    """The simple statements of a scope, and the heads of its compound ones as statements that read."""
    for node in body:
        if isinstance(node, _SCOPES):
            continue
        if blocks := inner_blocks(node):
            within = {id(one) for block in blocks for one in block}
            heads = [one for one in ast.iter_child_nodes(node) if id(one) not in within]
            names = {one.id for head in heads for one in ast.walk(head) if isinstance(one, ast.Name)}
            yield _Statement(frozenset(), frozenset(names), prints=False, plain=False)
            for block in blocks:
                yield from _statements(block)
        else:
            yield _simple(node)


def _simple(node: ast.stmt) -> _Statement:
    every = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    reads = {one.id for one in every if isinstance(one.ctx, ast.Load)}
    sets = {one.id for one in every if isinstance(one.ctx, ast.Store)}
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        reads.add(node.target.id)
    prints = isinstance(node, ast.Expr) and is_printing(node)
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    plain = (
        isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        and all(isinstance(one, ast.Name | ast.Tuple | ast.List) for one in targets)
        and all(terminal(one.func) in _HARMLESS for one in ast.walk(node) if isinstance(one, ast.Call))
    )
    return _Statement(frozenset(sets), frozenset(reads), prints, plain)


def _only_printed(statements: list[_Statement]) -> set[str]:
    """The largest set of names of which every reader prints, or sets names of the set alone; each is printed."""
    names = {name for one in statements for name in one.sets}
    while True:
        bad = {
            name
            for one in statements
            for name in names
            if (name in one.sets and not (one.plain and one.sets <= names))
            or (name in one.reads and not one.prints and not (one.plain and one.sets and one.sets <= names))
        }
        if not bad:
            break
        names -= bad
    read = {name for one in statements for name in one.reads if one.prints}
    while more := {name for one in statements if one.sets & read for name in one.reads & names} - read:
        read |= more
    return names & read
