"""What the importers share: an outcome, copies of files, a study file."""

from __future__ import annotations

import ast
import json
import operator
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from novum.core.model.errors import StudyError

_SKIPPED = shutil.ignore_patterns(
    ".git", ".venv", "venv", "__pycache__", "*.pyc", "node_modules", "openevolve_output", "logs", "workspaces"
)


@dataclass(frozen=True)
class Imported:
    """Where the study was written, and what a user should know before running it."""

    directory: Path
    notes: tuple[str, ...]


def copied(source: Path, target: Path, needs: Iterable[str]) -> None:
    """Copy a directory into a new one, after checking that what is needed is there. Raises StudyError."""
    if not source.is_dir():
        raise StudyError(f"{source} is no directory")
    if missing := [name for name in needs if not (source / name).is_file()]:
        raise StudyError(f"{source}: there is no {missing[0]}, which this layout has")
    if target.exists():
        raise StudyError(f"{target} exists: choose another directory with -o DIR")
    try:
        shutil.copytree(source, target, ignore=_SKIPPED, symlinks=True)
    except (OSError, shutil.Error) as error:
        raise StudyError(f"cannot copy {source} to {target}: {str(error)[:300]}") from None


def helper(name: str) -> str:
    """A file that an importer adds to a study."""
    return resources.files("novum.integrations.importers").joinpath("files", f"{name}.in").read_text()


def imported_modules(directory: Path, names: Iterable[str], but: Iterable[str] = ()) -> list[str]:
    """Modules that files ask for outside any `try`, which are neither Python's own nor files of the directory."""
    found: set[str] = set()
    for name in names:
        try:
            _collect(ast.parse((directory / name).read_text(encoding="utf-8", errors="replace")).body, found)
        except (SyntaxError, ValueError, RecursionError):
            continue
    own = {one.stem for one in directory.iterdir()}
    return sorted(found - own - set(but) - sys.stdlib_module_names)


def _collect(body: list[ast.stmt], found: set[str]) -> None:
    for node in body:
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.Try):
            for inner in ("body", "orelse"):
                _collect(getattr(node, inner, []), found)


def constant(text: str, name: str) -> float | None:
    """The number that a script assigns to a name at its top: a literal, or a sum or product of such; else None."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            return _evaluated(value) if value else None
    return None


def _evaluated(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant):
        return positive_number(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _evaluated(node.left), _evaluated(node.right)
        return None if left is None or right is None else positive_number(_OPERATIONS[type(node.op)](left, right))
    return None


_OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def positive_number(value: object) -> float | None:
    """A finite number above zero, also from its text (YAML reads 6e1 as one); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < float("inf") else None


def name_of(directory: Path) -> str:
    """A study's name from a directory's."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", directory.resolve().name).strip("-") or "imported"


def study_file(name: str, question: str, program: Mapping[str, object], limits: Mapping[str, object]) -> str:
    """The text of a study file."""
    lines = [f"name = {_toml(name)}", f"question = {_toml(question)}", 'arena = "program"', 'budget = "10m"', ""]
    lines += ["[program]", *(f"{key} = {_toml(value)}" for key, value in program.items()), ""]
    lines += ["[limits]", *(f"{key} = {_toml(value)}" for key, value in limits.items()), ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's strings, numbers and truth values are TOML's, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
