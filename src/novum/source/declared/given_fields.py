"""Fields of classes whose default nothing reads, since every call that makes an instance gives them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from novum.source.program_text import terminal


def given_fields(texts: Iterable[str]) -> frozenset[str]:
    """Fields as `Class.field` of a project's Python texts that all calls of their class give, where it is called.

    A call that passes on a mapping which is not written in the same text is taken to give nothing by it.
    """
    trees = [tree for text in texts if (tree := _parsed(text)) is not None]
    fields = {node.name: _fields(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    given: dict[str, list[set[str]]] = {}
    for tree in trees:
        mappings = dict(_mappings(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := terminal(node.func)) in fields:
                given.setdefault(name, []).append(_given(node, fields[name], mappings))
    return frozenset(f"{name}.{field}" for name, calls in given.items() for field in set.intersection(*calls))


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _fields(owner: ast.ClassDef) -> list[str]:
    return [
        node.target.id for node in owner.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


def _mappings(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Names that a text assigns a mapping with written keys to, with the keys that any of its assignments gives."""
    assigned: dict[str, list[set[str] | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(_keys(node.value))
    for name, every in assigned.items():
        known = [keys for keys in every if keys is not None]
        if len(known) == len(every):
            yield name, set.intersection(*known)


def _keys(value: ast.expr) -> set[str] | None:
    if isinstance(value, ast.Dict):
        return {key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    if isinstance(value, ast.Call) and terminal(value.func) == "dict":
        return {one.arg for one in value.keywords if one.arg}
    return None


def _given(call: ast.Call, fields: list[str], mappings: dict[str, set[str]]) -> set[str]:
    found = set(fields[: len(call.args)]) if not any(isinstance(one, ast.Starred) for one in call.args) else set()
    for one in call.keywords:
        if one.arg:
            found.add(one.arg)
        elif isinstance(one.value, ast.Name):
            found |= mappings.get(one.value.id, set())
    return found
