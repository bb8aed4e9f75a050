"""The numbers and truth values that a program states: where they stand, what they are called, how to write them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from novum.core.model.errors import StudyError
from novum.source.blocks import blocks
from novum.source.meaning import is_python
from novum.source.program_text import Program, program, terminal
from novum.source.source_text import Edit, apply

Number = int | float | bool

_SEED = re.compile(r"seed|random_state", re.IGNORECASE)
"""A better seed is luck, not an improvement, so seeds are never varied."""

_BARE = re.compile(r"(?<![\w.\-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_COMMENT = re.compile(r"\s*(?:#|//|--|%|;|\*|/\*)")


@dataclass(frozen=True, slots=True)
class Literal:
    """One literal: its value, its place (characters [start, end) and line) and what it stands for."""

    value: Number
    start: int
    end: int
    line: int
    name: str
    operand: bool = False

    def edit(self, value: Number) -> Edit:
        """Write `value` in its place, in brackets where a sign would bind otherwise."""
        text = written(value)
        return Edit(self.start, self.end, f"({text})" if self.operand and text.startswith("-") else text)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A file without its literals: equal for files that differ in their values only."""

    masked: str
    literals: tuple[Literal, ...]


def written(value: Number) -> str:
    """A number as Python source, floats to six significant digits and always recognisable as floats."""
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    return repr(value)


@lru_cache(maxsize=512)
def skeleton(text: str, path: str) -> Skeleton:
    """The editable literals of a file, and the rest. Raises StudyError when it is not valid Python."""
    if is_python(path):
        source = program(text, path)
        found = [literal for node in source.nodes if (literal := _literal(source, node)) is not None]
    else:
        found = _bare(text, path)
    holes = [Edit(literal.start, literal.end, f"\0{type(literal.value).__name__}") for literal in found]
    return Skeleton(apply(text, holes), tuple(found))


def _bare(text: str, path: str) -> list[Literal]:
    """Numbers in a file of another language, comment lines left out."""
    found: list[Literal] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        for match in () if _COMMENT.match(line) or _SEED.search(line) else _BARE.finditer(line):
            start, end = at + match.start(), at + match.end()
            if any(block.start <= start and end <= block.end for block in blocks(text, path)) and len(match[0]) < 16:
                value = int(match[0]) if match[0].lstrip("-").isdigit() else float(match[0])
                found.append(Literal(value, start, end, number, f"{match[0]} in `{line.strip()[:40]}`"))
        at += len(line) + 1
    return found


def _literal(source: Program, node: ast.AST) -> Literal | None:
    value: object = None
    inner = node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        inner = node.operand
    if not isinstance(inner, ast.Constant) or not isinstance(node, ast.expr):
        return None
    value, parent = inner.value, source.parents[node]
    signed = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
    if (
        signed
        or not isinstance(value, int | float)
        or isinstance(parent, ast.FormattedValue | ast.JoinedStr | ast.Expr)
    ):
        return None
    if inner is not node:
        if isinstance(value, bool):
            return None
        value = -value
    if abs(value) > 1e15 or not source.free(node):
        return None
    start, end = source.span(node)
    name = _name(source, node)
    if _SEED.search(name):
        return None
    operand = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Attribute)
    return Literal(value, start, end, node.lineno, name, operand)


def _name(source: Program, node: ast.expr) -> str:
    """What a literal stands for: the variable or argument that it is the value of, else the text around it."""
    parent = source.parents[node]
    if isinstance(parent, ast.keyword) and parent.arg:
        call = source.parents[parent]
        owner = terminal(call.func) if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and parent.arg == "default" and (option := _option(call)):
            return f"the default of {option}"
        return f"{parent.arg} of {owner}" if owner else parent.arg
    if isinstance(parent, ast.Call) and node in parent.args:
        return f"argument {parent.args.index(node) + 1} of {terminal(parent.func) or 'a call'}"
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign):
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            return source.source(target)
    if isinstance(parent, ast.arguments):
        return _default(parent, node)
    return f"{source.source(node)} in `{_brief(source, parent)}`"


def _option(call: ast.Call) -> str:
    """The longest name of the command-line option that a call adds, or ""."""
    names = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return max((name for name in names if name.startswith("-")), key=len, default="")


def _default(arguments: ast.arguments, node: ast.expr) -> str:
    plain = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next((f"the default of {arg.arg}" for arg, default in pairs if default is node), "a default")


def _brief(source: Program, node: ast.AST) -> str:
    if not isinstance(node, ast.expr | ast.stmt | ast.keyword):
        return "an expression"
    text = " ".join(source.source(node).split())
    return text if len(text) <= 40 else text[:37] + "..."


def with_values(text: str, path: str, values: dict[int, Number]) -> str:
    """`text` with other values for some of its literals, by their number in order. Raises StudyError."""
    found = skeleton(text, path).literals
    if bad := [index for index in values if not 0 <= index < len(found)]:
        raise StudyError(f"{path}: no literal number {bad[0]}: it has {len(found)}")
    return apply(text, [found[index].edit(value) for index, value in values.items()])
