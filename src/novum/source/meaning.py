"""What a file means: fingerprints that are equal for texts which differ in layout or comments only."""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
from functools import lru_cache

from novum.core.model.errors import StudyError

MOST_WORDS = 100_000
"""Names, numbers and signs of one file: its tree takes about 500 bytes for each."""

_WORD = re.compile(r"\w++|[^\w\s]")
_PLACELESS = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
_SKIP = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


@lru_cache(maxsize=64)
def parsed(text: str, path: str) -> ast.Module:
    """The syntax tree of a file that also compiles; it is shared and must not be changed. Raises StudyError."""
    if (words := sum(1 for _ in _WORD.finditer(text))) > MOST_WORDS:
        raise StudyError(f"{path}:1: {words} names and signs, at most {MOST_WORDS} are allowed: shorten or split it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compile(tree, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise StudyError(f"{path}:{error.lineno or 1}: not valid Python: {error.msg}; correct this line") from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise StudyError(f"{path}:1: not valid Python: {error}; simplify the file") from error
    return tree


@lru_cache(maxsize=64)
def nodes(text: str, path: str) -> tuple[ast.AST, ...]:
    """The nodes of a file, the outer ones first, without operators and contexts (which have no place of their own)."""
    found: list[ast.AST] = [parsed(text, path)]
    for node in found:
        for value in vars(node).values():
            if value.__class__ is list:
                found += [item for item in value if isinstance(item, ast.AST) and not isinstance(item, _PLACELESS)]
            elif isinstance(value, ast.AST) and not isinstance(value, _PLACELESS):
                found.append(value)
    return tuple(found)


@lru_cache(maxsize=4096)
def structure(text: str, path: str) -> str:
    """A digest of the syntax tree, of the bare lines for files in other languages."""
    return _forms(text, path, docs=True) if is_python(path) else _lines(text)


@lru_cache(maxsize=4096)
def meaning(text: str, path: str) -> str:
    """As `structure`, but without docstrings and statements that do nothing, and with negative literals folded."""
    return _forms(text, path, docs=False) if is_python(path) else _lines(text)


def is_python(path: str) -> bool:
    """Whether a file is handled as Python."""
    return path.endswith((".py", ".pyi"))


def _lines(text: str) -> str:
    return _digest("\n".join(line.rstrip() for line in text.rstrip().split("\n")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _forms(text: str, path: str, *, docs: bool) -> str:
    """The digest of a file from those of its top statements, most of which a change leaves alone."""
    lines = text.split("\n")
    parts = []
    for node in parsed(text, path).body:
        if docs or not idle(node):
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
            key = "\n".join(lines[first - 1 : node.end_lineno])
            parts.append(_part(ByText((key, node.col_offset, node.end_col_offset), node), docs))
    return _digest("\n".join(parts))


class ByText:
    """A node that is hashed by its text and columns, as the key of a cache: equal texts have equal trees.

    The node can be taken once, so that a cache keeps texts and no trees.
    """

    __slots__ = ("_key", "_node")

    def __init__(self, key: tuple[object, ...], node: ast.stmt) -> None:
        self._key = key
        self._node: ast.stmt | None = node

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByText) and self._key == other._key

    def take(self) -> ast.stmt:
        """The node."""
        node, self._node = self._node, None
        assert node is not None
        return node


@lru_cache(maxsize=8192)
def _part(part: ByText, docs: bool) -> str:
    return _digest(_form(part.take(), docs=docs))


def _form(node: object, *, docs: bool) -> str:
    """A syntax tree as text, without positions."""
    if isinstance(node, ast.AST):
        if not docs and isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = node.operand.value if isinstance(node.operand, ast.Constant) else None
            if isinstance(value, int | float | complex) and not isinstance(value, bool):
                return f"{type(value).__name__}:{-value!r}"
        if isinstance(node, ast.Constant):
            return f"{type(node.value).__name__}:{node.value!r}"
        fields = node._fields
        parts = [_form(getattr(node, name, None), docs=docs) for name in fields if name not in _SKIP]
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        items = node if docs else _effective(node)
        return f"[{','.join([_form(item, docs=docs) for item in items])}]"
    return repr(node)


def _effective(items: list[object]) -> list[object]:
    """A body without bare constants (docstrings) and without `pass`; other lists as they are."""
    if not items or not isinstance(items[0], ast.stmt):
        return items
    return [item for item in items if not idle(item)]


def idle(item: object) -> bool:
    """Whether a statement does nothing: `pass`, a docstring, a lone constant."""
    return isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
