"""Names that nothing sets, and names used above the line that first sets them: static, and silent when in doubt."""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from novum.source.meaning import ByText, nodes, parsed

_GIVEN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__annotations__", "__path__", "__class__"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BRANCHES = (ast.If, ast.IfExp, ast.BoolOp, ast.Try, ast.TryStar, ast.Match)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@lru_cache(maxsize=1024)
def loose_names(text: str, path: str) -> dict[str, int]:
    """Names that are read as globals while nothing in the file sets them, with the first line that reads each."""
    everything = nodes(text, path)
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in everything):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = list(_tables(symtable.symtable(text, path, "exec")))
    bound, read = set(_GIVEN), set()
    for table in tables:
        for symbol in table.get_symbols():
            top = table.get_type() == "module"
            if (top or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported()):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (top or symbol.is_global()):
                read.add(symbol.get_name())
    loose = read - bound
    lines: dict[str, int] = {}
    for node in everything if loose else ():
        if isinstance(node, ast.Name) and node.id in loose:
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    return lines


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


@lru_cache(maxsize=1024)
def early_names(text: str, path: str) -> dict[tuple[str, str], int]:
    """Names of a scope that are read, without any condition, before they are set: (scope, name) -> line."""
    lines = text.split("\n")
    found = {("", name): line for name, line in _early(parsed(text, path))}
    for node in nodes(text, path):
        if isinstance(node, _FUNCTIONS):
            key = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            for name, line in _early_inside(ByText((key, node.col_offset), node)):
                found.setdefault((node.name, name), node.lineno + line)
    return found


@lru_cache(maxsize=8192)
def _early_inside(function: ByText) -> tuple[tuple[str, int], ...]:
    """As `_early`, with lines counted from that of the definition."""
    node = function.take()
    assert isinstance(node, _FUNCTIONS)
    return tuple((name, line - node.lineno) for name, line in _early(node))


def _early(scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterable[tuple[str, int]]:
    names = _own(scope.body)
    if isinstance(scope, _FUNCTIONS):
        names -= {arg.arg for arg in ast.walk(scope.args) if isinstance(arg, ast.arg)}
    walk = _Walk(names)
    walk.block(scope.body)
    return walk.found


def _own(body: list[ast.stmt]) -> set[str]:
    """Names that the statements bind in their own scope; declared globals and nonlocals are another's."""
    bound: set[str] = set()
    foreign: set[str] = set()
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
            continue
        if isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            foreign |= set(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        todo += ast.iter_child_nodes(node)
    return bound - foreign - {"*"}


@dataclass
class _Walk:
    """Visits one scope in the order of evaluation; what any branch binds counts as bound after it."""

    names: set[str]
    bound: set[str] = field(default_factory=set)
    found: list[tuple[str, int]] = field(default_factory=list)
    loops: int = 0
    guards: int = 0

    def block(self, body: Iterable[ast.AST]) -> None:
        """Visit statements or expressions one after another."""
        for node in body:
            self.visit(node)

    def visit(self, node: ast.AST) -> None:
        """Visit one node: note what it reads too early, then what it binds."""
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Assign):
            self.block([node.value, *node.targets])
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                self._read(node.target)
            self.block([node.value, node.target])
        elif isinstance(node, ast.AnnAssign):
            self.block([node.value, node.target] if node.value else [])
        elif isinstance(node, ast.NamedExpr):
            self.block([node.value, node.target])
        elif isinstance(node, _SCOPES):
            self._scope(node)
        elif isinstance(node, _COMPREHENSIONS):
            self.visit(node.generators[0].iter)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.bound |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, _LOOPS):
            self._loop(node)
        else:
            self._other(node)

    def _other(self, node: ast.AST) -> None:
        guard = isinstance(node, _BRANCHES) and self.loops > 0
        self.guards += guard
        if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self.bound.add(node.name)
        self.block(ast.iter_child_nodes(node))
        self.guards -= guard

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.block([node.test] if isinstance(node, ast.While) else [node.iter, node.target])
        self.loops += 1
        self.block(node.body)
        self.loops -= 1
        self.block(node.orelse)

    def _scope(self, node: ast.AST) -> None:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            self.block(node.decorator_list)
            self.bound.add(node.name)
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            self.block([*node.args.defaults, *(default for default in node.args.kw_defaults if default)])

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        else:
            self._read(node)

    def _read(self, node: ast.Name) -> None:
        if node.id in self.names and node.id not in self.bound and not self.guards:
            self.found.append((node.id, node.lineno))
