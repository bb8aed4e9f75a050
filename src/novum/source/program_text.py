"""A file as its mutations see it: the tree, where each node stands in the text, what may be changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from novum.source.blocks import blocks
from novum.source.meaning import nodes, parsed
from novum.source.source_text import Edit, Positions, apply

Spot = ast.expr | ast.stmt | ast.keyword | ast.alias


@dataclass(frozen=True, slots=True)
class Mutation:
    """One small change of one file: which operator made it, where, and in words."""

    operator: str
    path: str
    line: int
    edits: tuple[Edit, ...]
    note: str

    def apply(self, text: str) -> str:
        """The changed text."""
        return apply(text, self.edits)

    @property
    def words(self) -> str:
        """The change and its place: "doubles ITERATIONS at solver.py:12"."""
        return f"{self.note} at {self.path}:{self.line}"


class Program:
    """A parsed file. Trees are shared between callers and never changed."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.tree = parsed(text, path)
        self._positions = Positions(text)
        self._blocks = blocks(text, path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes that have a place in the text, the outer ones first."""
        return nodes(self.text, self.path)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The enclosing node of each node."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def span(self, node: Spot) -> tuple[int, int]:
        """First character of a node and the one after its last."""
        return self._positions.span(node)

    def source(self, node: Spot) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def free(self, node: Spot) -> bool:
        """Whether a node may be changed."""
        return self.open(*self.span(node))

    def open(self, start: int, end: int) -> bool:
        """Whether all of [start, end) lies in one editable part."""
        return any(block.start <= start and end <= block.end for block in self._blocks)

    def above(self, node: ast.AST, kinds: type | tuple[type, ...]) -> ast.AST | None:
        """The nearest enclosing node of some kind."""
        while (up := self.parents.get(node)) is not None:
            if isinstance(up, kinds):
                return up
            node = up
        return None

    def statement(self, node: ast.AST) -> ast.stmt:
        """The statement that a node is part of."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def indent(self, node: ast.stmt) -> str:
        """The white space before a statement that begins its line."""
        start, _ = self.span(node)
        return self.text[self.text.rfind("\n", 0, start) + 1 : start]

    def alone(self, node: ast.stmt) -> bool:
        """Whether a statement has its lines for itself (but for a comment)."""
        _, end = self.span(node)
        stop = self.text.find("\n", end)
        rest = self.text[end : stop if stop >= 0 else len(self.text)].strip()
        return not self.indent(node).strip() and (not rest or rest.startswith("#"))

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        """The span of the whole lines of a statement that stands alone, the last line end included."""
        start, end = self.span(node)
        stop = self.text.find("\n", end)
        return self.text.rfind("\n", 0, start) + 1, len(self.text) if stop < 0 else stop + 1

    def offset(self, line: int) -> int:
        """Characters before a line, counted from 1."""
        return self._positions.starts[line - 1]

    def below(self, node: ast.stmt, text: str) -> Edit:
        """Insert lines after the lines of a statement that stands alone."""
        at = self.lines(node)[1]
        lead = "" if at == 0 or self.text[at - 1] == "\n" else "\n"
        return Edit(at, at, lead + text)

    def body(self, node: ast.stmt) -> list[ast.stmt]:
        """The list of statements that a statement stands in."""
        parent = self.parents[node]
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list) and node in block:
                return block
        return [node]

    def bodies(self) -> Iterator[list[ast.stmt]]:
        """Every list of statements."""
        for node in self.nodes:
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    yield block

    def mutation(self, operator: str, node: Spot, note: str, *edits: Edit) -> Mutation | None:
        """A mutation at `node`, or None when it would touch what is fixed."""
        if not all(self.open(edit.start, edit.end) for edit in edits):
            return None
        return Mutation(operator, self.path, node.lineno, edits, note)

    def replace(self, node: Spot, new: str) -> Edit:
        """Put `new` in the place of a node."""
        return Edit(*self.span(node), new)


@lru_cache(maxsize=64)
def program(text: str, path: str) -> Program:
    """The file of this text. Raises StudyError when it is not valid Python."""
    return Program(text, path)


def terminal(node: ast.expr) -> str:
    """The last name of a dotted name, the empty string for anything else: `np.random.uniform` -> `uniform`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
