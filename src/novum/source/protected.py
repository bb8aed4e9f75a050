"""What no candidate changes in a script: what measures the result, what prints it, what declares arguments and seeds.

A candidate that edits its own judge is no better than one that reports its own score. Fixed are whole functions that a
study names, statements that assign names which it names (what the printed metric is made of), and, wherever they
stand, calls that print, log, declare arguments or set seeds. They are compared as syntax, in their order.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from novum.core.model.errors import StudyError
from novum.source.declared.declarations import declared
from novum.source.meaning import is_python, parsed
from novum.source.program_text import terminal
from novum.source.seed_literals import is_seed_call
from novum.source.source_text import Edit, Positions

_PRINTS = frozenset(
    {"print", "pprint", "write", "writelines", "log", "log_metric", "log_metrics", "info", "debug", "warning",
     "error", "add_scalar", "add_scalars", "display", "savefig", "save", "dump", "to_csv", "to_json",
     "set_postfix", "set_description"}
)  # fmt: skip
_DECLARES = frozenset(
    {"add_argument", "add_argument_group", "ArgumentParser", "parse_args", "parse_known_args", "set_defaults",
     "option", "Option", "Argument", "argument", "add_parser", "add_subparsers"}
)  # fmt: skip
_SPAN = re.compile(r"(\d+)(?:-(\d+))?")

Fixed = ast.stmt


@dataclass(frozen=True)
class Protection:
    """What of a program is fixed beside prints, arguments and seeds.

    functions: whole functions and classes, "train.py: evaluate". names: what the metric is made of, "train.py:
    val_loss", in a function "train.py: main.val_loss". idle: by file, the lines that the program as it is has not run
    ("12-18", "40"); a change there does nothing. calls: names of functions whose calls are fixed as prints are, such as
    "writerow". Raises ValueError for entries of another form.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    functions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    idle: dict[str, tuple[str, ...]] = field(default_factory=dict)
    calls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for entry in (*self.functions, *self.names):
            if ": " not in entry:
                raise ValueError(f"{entry!r}: name a file and what is fixed in it, like 'train.py: evaluate'")
        for path, spans in self.idle.items():
            for one in spans:
                if not _SPAN.fullmatch(one):
                    raise ValueError(f"idle: {path}: {one!r} is no range of lines such as '12-18'")

    def __hash__(self) -> int:
        return hash((self.functions, self.names, tuple(self.idle.items()), self.calls))

    def of(self, path: str) -> FileProtection:
        """What is fixed in one file."""
        lines = {n for one in self.idle.get(path, ()) for n in _lines(one)}
        return FileProtection(_in(self.functions, path), _in(self.names, path), frozenset(lines), frozenset(self.calls))


@dataclass(frozen=True, slots=True)
class FileProtection:
    """What is fixed in one file, by qualified names; idle: numbers of lines of the base."""

    functions: frozenset[str]
    names: frozenset[str]
    idle: frozenset[int]
    calls: frozenset[str] = frozenset()


def _in(entries: Iterable[str], path: str) -> frozenset[str]:
    return frozenset(what for where, _, what in (one.partition(": ") for one in entries) if where == path)


def _lines(span: str) -> range:
    found = _SPAN.fullmatch(span)
    assert found
    return range(int(found[1]), int(found[2] or found[1]) + 1)


def fixed_statements(text: str, path: str, what: FileProtection) -> list[tuple[str, Fixed]]:
    """The outermost fixed statements of a Python file, each with the function it stands in, in their order."""
    return list(_fixed(parsed(text, path).body, "", what))


def _fixed(body: list[ast.stmt], scope: str, what: FileProtection) -> Iterator[tuple[str, Fixed]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{scope}.{node.name}" if scope else node.name
            if name in what.functions:
                yield scope, node
            else:
                yield from _fixed(node.body, name, what)
        elif not (blocks := inner_blocks(node)):
            if _is_fixed(node, what, scope):
                yield scope, node
        elif all(_is_fixed(one, what, scope) for block in blocks for one in block):
            yield scope, node  # nothing but fixed statements: when they are run is fixed as well
        else:
            for block in blocks:
                yield from _fixed(block, scope, what)


def inner_blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """The lists of statements within a compound statement."""
    found = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    found += [one.body for one in getattr(node, "handlers", [])] + [one.body for one in getattr(node, "cases", [])]
    return [block for block in found if block]


def _is_fixed(node: ast.stmt, what: FileProtection, scope: str) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (f"{scope}.{node.name}" if scope else node.name) in what.functions
    if blocks := inner_blocks(node):
        return all(_is_fixed(one, what, scope) for block in blocks for one in block)
    lead = f"{scope}." if scope else ""
    if what.names and any(f"{lead}{name}" in what.names for name in assigned(node)):
        return True
    value = getattr(node, "value", None)
    return isinstance(value, ast.Call) and _fixes(value, what.calls)


def is_printing(node: ast.Expr) -> bool:
    """Whether a statement is a call that prints or logs."""
    return isinstance(node.value, ast.Call) and terminal(node.value.func) in _PRINTS


def _fixes(call: ast.Call, others: frozenset[str]) -> bool:
    """Whether a call prints, declares an argument or sets a seed; also one within a chain: rng = seed(1).fork()."""
    name = terminal(call.func)
    if name in _PRINTS or name in _DECLARES or name in others or is_seed_call(name):
        return True
    inner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(inner, ast.Call) and _fixes(inner, others)


def assigned(node: ast.stmt) -> set[str]:
    """The plain names that a simple statement gives a value, also as the owner of what is set (a.b, a[0])."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    found = {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        owner = node.value.func.value
        if isinstance(owner, ast.Name) and node.value.func.attr in ("append", "update", "extend"):
            found.add(owner.id)
    return found | {one.target.id for one in ast.walk(node) if isinstance(one, ast.NamedExpr)}


@lru_cache(maxsize=2048)
def _forms(text: str, path: str, what: FileProtection) -> tuple[tuple[str, str], ...]:
    return tuple((scope, ast.dump(node)) for scope, node in fixed_statements(text, path, what))


def check_fixed(base: str, text: str, path: str, what: FileProtection) -> None:
    """Hold a new text to the base's fixed statements. Raises StudyError with line and what to do."""
    if not is_python(path):
        return
    ours, theirs = _forms(base, path, what), _forms(text, path, what)
    if ours == theirs:
        return
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    found = fixed_statements(text, path, what)
    line = found[at][1].lineno if at < len(found) else len(text.split("\n"))
    was = fixed_statements(base, path, what)
    words = _named(was[at][1]) if at < len(was) else f"a new {_named(found[at][1])}"
    raise StudyError(
        f"{path}:{line}: touches what is fixed in this study ({words}): evaluation, printing, argument declarations "
        "and seeds stay as they are; change only what trains"
    )


def _named(node: Fixed) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    words = ast.unparse(node).split("\n")[0]
    return words if len(words) <= 60 else f"{words[:57]}..."


@lru_cache(maxsize=256)
def closed_spans(base: str, text: str, path: str, what: FileProtection) -> tuple[tuple[int, int], ...]:
    """Spans of characters of a text that no mutation touches.

    These are fixed statements, lines that the base has not run, and values that the file declares: those that may be
    tried have ranges of their own.
    """
    own = [(one.start, one.end) for one in declared(text, path)]
    if not is_python(path):
        return tuple(own)
    positions = Positions(text)
    spans = [_whole(positions, node) for _, node in fixed_statements(text, path, what)]
    for number in _same_lines(base, text, what.idle):
        spans.append((positions.starts[number - 1], positions.starts[number]))
    return tuple(sorted([*own, *spans]))


def _whole(positions: Positions, node: Fixed) -> tuple[int, int]:
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return positions.starts[first - 1], positions.span(node)[1]


def _same_lines(base: str, text: str, numbers: frozenset[int]) -> list[int]:
    """Where lines of the base stand in a text that was made from it."""
    if not numbers:
        return []
    old, new = base.split("\n"), text.split("\n")
    if old == new:
        return sorted(n for n in numbers if n <= len(new))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found = {a + i + 1: b + i + 1 for a, b, size in matcher.get_matching_blocks() for i in range(size)}
    return [found[n] for n in sorted(numbers) if n in found]


def is_open(spans: Iterable[tuple[int, int]], edit: Edit) -> bool:
    """Whether an edit leaves every closed span alone; to insert at its border is allowed."""
    if edit.start == edit.end:
        return not any(start < edit.start < end for start, end in spans)
    return not any(start < edit.end and edit.start < end for start, end in spans)
