"""What can be seen to fail before a trial is paid for: unknown modules, missing attributes, names that nothing sets.

Only what a change brings in is judged, never what the base does already, and never what cannot be known for certain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from novum.core.model.errors import StudyError
from novum.source.blocks import WORD
from novum.source.meaning import is_python, nodes
from novum.source.modules import exists, has
from novum.source.scope import early_names, loose_names

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class _Facts:
    """What one file imports and takes from modules; lines are those of the first use."""

    modules: dict[str, int] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    dotted: list[tuple[str, str, int]] = field(default_factory=list)
    strings: list[tuple[int, int]] = field(default_factory=list)


def known_modules(files: Mapping[str, str]) -> frozenset[str]:
    """Modules that these files import (with their parents), and those that they are."""
    found = {module for path, text in files.items() if is_python(path) for module in _facts(text, path).modules}
    parents = {module.rsplit(".", cut)[0] for module in found for cut in range(module.count(".") + 1)}
    return frozenset(parents) | own_modules(tuple(files))


@lru_cache(maxsize=256)
def own_modules(paths: tuple[str, ...]) -> frozenset[str]:
    """The names under which these files can be imported, whichever of their folders stands on the path."""
    found: set[str] = set()
    for path in paths:
        if is_python(path):
            parts = path.rsplit(".", 1)[0].removesuffix("/__init__").split("/")
            found |= {".".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}
    return frozenset(found)


def check(new: str, base: str, path: str, known: frozenset[str]) -> None:
    """Raise StudyError when `new` certainly fails in a way that `base` does not."""
    facts, before = _facts(new, path), _facts(base, path).taken
    for module, line in facts.modules.items():
        elsewhere = module.partition(".")[0] in known and not exists(module.partition(".")[0])
        if module not in known and not elsewhere and not exists(module):
            raise StudyError(f"{path}:{line}: no module named {module!r} here: import one that is installed")
    for (module, name), line in facts.taken.items():
        if (module, name) not in before and exists(module) and not has(module, name):
            raise StudyError(f"{path}:{line}: {module} has no {name!r}: use a name that it has")
    _names(new, base, path)
    if WORD in new:
        _markers(facts, new, path)


@lru_cache(maxsize=256)
def _facts(text: str, path: str) -> _Facts:
    facts = _Facts()
    tried: set[ast.AST] = set()
    for node in nodes(text, path):
        if isinstance(node, ast.Try):
            tried |= {inner for top in node.body for inner in ast.walk(top)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            _note_import(facts, node, certain=node not in tried)
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                facts.others.add(node.id)
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
                facts.dotted.append((node.value.id, node.attr, node.lineno))
        elif isinstance(node, ast.arg):
            facts.others.add(node.arg)
        elif isinstance(node, _DEFINITIONS):
            facts.others.add(node.name)
        elif isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno:
            facts.strings.append((node.lineno, node.end_lineno or node.lineno))
    for name, attribute, line in facts.dotted:
        if name in facts.aliases and name not in facts.others:
            facts.taken.setdefault((facts.aliases[name], attribute), line)
    return facts


def _note_import(facts: _Facts, node: ast.Import | ast.ImportFrom, *, certain: bool) -> None:
    """Absolute imports count; what is tried may fail."""
    for module, name, alias in _imported(node):
        if isinstance(node, ast.Import) and certain and (alias or "." not in module):
            facts.aliases[alias or module] = module
        else:
            facts.others.add(alias or name or module.split(".")[0])
        if certain:
            facts.modules.setdefault(module, node.lineno)
            if name and name != "*":
                facts.taken.setdefault((module, name), node.lineno)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str | None]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, "", alias.asname) for alias in node.names)
    elif node.level == 0 and node.module:
        yield from ((node.module, alias.name, alias.asname) for alias in node.names)


def _names(new: str, base: str, path: str) -> None:
    old = loose_names(base, path)
    if fresh := [(line, name) for name, line in loose_names(new, path).items() if name not in old]:
        line, name = min(fresh)
        raise StudyError(f"{path}:{line}: nothing sets the name {name!r}: define or import it")
    before = early_names(base, path)
    if unset := [(line, place[1]) for place, line in early_names(new, path).items() if place not in before]:
        line, name = min(unset)
        raise StudyError(f"{path}:{line}: {name!r} is used before it is set: set it above this line")


def _markers(facts: _Facts, text: str, path: str) -> None:
    """A string that swallows a marker would take the fixed lines with it."""
    for number, line in enumerate(text.split("\n"), 1) if facts.strings else ():
        if WORD in line and any(start <= number < end for start, end in facts.strings):
            raise StudyError(f"{path}:{number}: an EVOLVE-BLOCK marker inside a string: close the string above it")
