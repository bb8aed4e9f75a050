"""Programs that the files of a task start, and those of them that no sandbox would find here."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_CALLS = ("run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec", "which")
_PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


def missing_tools(files: Iterable[Path]) -> list[str]:
    """Names of programs that calls in Python files start by a constant, and that are not in the system's folders."""
    names = {name for file in files for name in _started(file)}
    return sorted(name for name in names if "python" not in name and shutil.which(name, path=_PATH) is None)


def _started(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    lists = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CALLS
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Name):
                first = lists.get(first.id, first)
            if isinstance(first, ast.List | ast.Tuple) and first.elts:
                first = first.elts[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.split():
                yield first.value.split()[0]
