"""A Python file as its declarations are read from it: its tree, its imports, its constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import Declared, How
from novum.source.declared.enumerations import members
from novum.source.declared.literal_value import listed, literal_value
from novum.source.meaning import nodes, parsed
from novum.source.program_text import terminal
from novum.source.source_text import Positions

Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMMENT = re.compile(r"[^'\"#\n]*#[ \t]*([^\n]*)")
_FLOAT, _INT = re.compile(r"\bfloat\b|FloatRange"), re.compile(r"\bint\b")
_MOST_DOC = 300


class PythonSource:
    """A parsed file. Raises StudyError when it is not valid Python."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.tree = parsed(text, path)
        self.nodes = nodes(text, path)
        self._positions = Positions(text)

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """What each name of the module is assigned at first."""
        found: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.setdefault(node.targets[0].id, node.value)
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """Names that are modules, or come from them."""
        aliases = [one for node in self.nodes if isinstance(node, ast.Import | ast.ImportFrom) for one in node.names]
        return frozenset((one.asname or one.name).partition(".")[0] for one in aliases)

    def calls(self) -> Iterator[ast.Call]:
        """Every call."""
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def functions(self) -> Iterator[Function]:
        """Every function."""
        return (node for node in self.nodes if isinstance(node, Function))

    def span(self, node: ast.expr) -> tuple[int, int]:
        """The characters [start, end) of an expression."""
        return self._positions.span(node)

    def choices(self, node: ast.expr | None) -> tuple[Scalar, ...]:
        """The values that a list names, or `click.Choice([...])`."""
        if isinstance(node, ast.Call) and terminal(node.func) == "Choice" and node.args:
            node = node.args[0]
        return listed(node, self.constants)

    def declare(
        self, node: ast.expr | None, place: str, name: str, how: How, *,
        kind: ast.expr | None = None, choices: tuple[Scalar, ...] = (), doc: str = "",
    ) -> Declared | None:  # fmt: skip
        """The declaration of a literal, None for other expressions. kind: the type or annotation beside it."""
        value = literal_value(node)
        if node is None or value is None:
            return None
        choices = choices or literals_of(kind)
        if isinstance(value, str) and not choices and not members(name):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and is_float(kind):
            value = float(value)
        start, end = self.span(node)
        return Declared(place, name, value, start, end, how, choices, doc or self._comment(end), node.lineno)

    def _comment(self, end: int) -> str:
        """The comment on the rest of a line."""
        found = _COMMENT.match(self.text, end)
        return found[1].strip()[:_MOST_DOC] if found else ""


def is_float(kind: ast.expr | None) -> bool:
    """Whether a type says that whole numbers mean floats too."""
    text = ast.unparse(kind) if kind is not None else ""
    return bool(_FLOAT.search(text)) and not _INT.search(text)


def literals_of(kind: ast.expr | None) -> tuple[Scalar, ...]:
    """The values of `Literal[...]`, wherever in an annotation it stands."""
    for node in ast.walk(kind) if kind is not None else ():
        if isinstance(node, ast.Subscript) and terminal(node.value) == "Literal":
            items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return tuple(value for item in items if (value := literal_value(item)) is not None)
    return ()


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The argument that a call gives by this name."""
    return next((one.value for one in call.keywords if one.arg == name), None)


def words(node: ast.expr | None) -> str:
    """A text literal in one line; the empty string for anything else."""
    value = literal_value(node)
    return " ".join(value.split())[:_MOST_DOC] if isinstance(value, str) else ""


def dotted(node: ast.expr) -> str:
    """A dotted name, the empty string for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
