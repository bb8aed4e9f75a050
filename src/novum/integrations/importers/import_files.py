"""What the importers share: an outcome, copies of files, a study file."""

from __future__ import annotations

import ast
import json
import operator
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from novum.core.model.errors import StudyError

_SKIPPED = (".git", ".venv", "venv", "__pycache__", "*.pyc", "node_modules")


@dataclass(frozen=True)
class Imported:
    """Where the study was written, and what a user should know before running it."""

    directory: Path
    notes: tuple[str, ...]


@contextmanager
def copied(source: Path, target: Path, needs: Iterable[str] = (), skipped: tuple[str, ...] = ()) -> Iterator[None]:
    """A directory copied into a new one, after checking that what is needed is there; gone again after a StudyError.

    Raises StudyError.
    """
    if not source.is_dir():
        raise StudyError(f"{source} is no directory")
    if missing := [name for name in needs if not (source / name).is_file()]:
        raise StudyError(f"{source}: there is no {missing[0]}, which this layout has")
    if target.exists():
        raise StudyError(f"{target} exists: choose another directory with -o DIR")
    if target.resolve().is_relative_to(source.resolve()):
        raise StudyError(f"{target} lies in {source}: choose another directory with -o DIR")
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_SKIPPED, *skipped), symlinks=True)
        yield
    except (OSError, shutil.Error) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise StudyError(f"cannot copy {source} to {target}: {str(error)[:300]}") from None
    except StudyError as error:
        shutil.rmtree(target, ignore_errors=True)
        words = str(error)
        raise StudyError(words if words.startswith(str(source)) else f"{source}: {words}") from None


def combined_score(program: str, harness: str, packages: list[str]) -> dict[str, object]:
    """The program table of a task whose harness writes `combined_score` into metrics.json."""
    return {
        "metric": "combined_score",
        "higher_is_better": True,
        "resolution": 0.0001,
        "editable": [program],
        "command": ["python", harness, "{seed}"],
        "outputs": [{"name": "metrics.json"}],
        "report": {"file": "metrics.json", "key": "combined_score"},
        "remarks": "remarks.txt",
        "packages": packages,
    }


def helper(name: str, **replaced: object) -> str:
    """A file that an importer adds to a study. replaced: what stands in it for @NAME@; texts go in as they are."""
    text = resources.files("novum.integrations.importers").joinpath("files", f"{name}.in").read_text()
    for mark, value in replaced.items():
        text = text.replace(f"@{mark.upper()}@", value if isinstance(value, str) else repr(value))
    return text


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


def said_of_language(program: str, tools: Iterable[str]) -> list[str]:
    """What to know of a program in another language than Python, and of programs that are started and not there."""
    notes = []
    if missing := ", ".join(tools):
        notes.append(
            f"not in the system's folders, where a sandbox looks: {missing}: install that, or trials score nothing"
        )
    if not program.endswith(".py"):
        notes.append(f"{program} is no Python: without a language model only numbers in it are changed")
    return notes


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
