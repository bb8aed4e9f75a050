"""Packages that the files of a task import, those of them that are not installed, and what requirements.txt names."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from novum.core.model.errors import StudyError
from novum.sandbox.visible.shown_packages import providers

_DISTRIBUTIONS = {
    "sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python", "yaml": "PyYAML", "bs4": "beautifulsoup4",
    "skimage": "scikit-image", "dateutil": "python-dateutil", "dotenv": "python-dotenv",
}  # fmt: skip
"""What to install for a module of another name."""


@dataclass(frozen=True)
class Modules:
    """needed: imported as soon as a file is loaded, with that file. optional: imported in functions, or tried.

    files: those that were read.
    """

    needed: Mapping[str, str]
    optional: frozenset[str]
    files: tuple[Path, ...]


def modules_of(directory: Path, names: Iterable[str], but: Iterable[str] = ()) -> Modules:
    """Modules that files import, and files of the directory that these import; Python's own are left out."""
    needed: dict[str, str] = {}
    optional: set[str] = set()
    waiting = [(directory / name, False) for name in names]
    seen: set[tuple[Path, bool]] = set()
    while waiting:
        file, lazily = waiting.pop(0)
        if (file, lazily) in seen or (file, False) in seen:
            continue
        seen.add((file, lazily))
        for module, later in _imports(file):
            own = _own_files(directory, module)
            waiting += [(one, lazily or later) for one in own]
            if own or module in {*sys.stdlib_module_names, *but}:
                continue
            if lazily or later:
                optional.add(module)
            else:
                needed.setdefault(module, file.relative_to(directory).as_posix())
    return Modules(
        dict(sorted(needed.items())), frozenset(optional - set(needed)), tuple(sorted({one for one, _ in seen}))
    )


def packages_of(directory: Path, names: Iterable[str], but: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """What a study of these files declares as packages, and what is to be said of it.

    Raises StudyError for a module that is needed and not installed.
    """
    found = modules_of(directory, names, but)
    if missing := missing_modules(found):
        module = missing[0]
        listed = (directory / "requirements.txt").is_file()
        how = "-r requirements.txt" if listed else " ".join(map(distribution_of, missing))
        raise StudyError(
            f"{found.needed[module]} imports {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed where Novum runs: pip install {how}, and import again"
        )
    wanted, notes = _required(directory, but)
    return sorted({*found.needed, *filter(_is_installed, found.optional), *wanted}), notes


def missing_modules(found: Modules) -> list[str]:
    """The needed modules that are not installed."""
    return [module for module in found.needed if not _is_installed(module)]


def distribution_of(module: str) -> str:
    """What to install for a module."""
    return _DISTRIBUTIONS.get(module, module)


def _required(directory: Path, but: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Modules of what requirements.txt names, and a note of what is not installed of it."""
    file = directory / "requirements.txt"
    if not file.is_file():
        return [], []
    provided: dict[str, list[str]] = {}
    for module, distributions in providers().items():
        for one in distributions:
            provided.setdefault(canonicalize_name(one), []).append(module)
    wanted, absent = [], []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        name = _name(line)
        if name and name not in but:
            modules = [one for one in provided.get(canonicalize_name(name), []) if re.fullmatch(r"[^\W_]\w*", one)]
            wanted += modules
            absent += [] if modules else [name]
    words = f"requirements.txt names {', '.join(absent)}, not installed here: programs that import it will fail"
    return wanted, [words] if absent else []


def _name(line: str) -> str:
    """The distribution that a line of requirements.txt asks for here; empty for none."""
    try:
        found = Requirement(line.partition(" #")[0].strip())
    except InvalidRequirement:
        return ""
    return found.name if found.marker is None or found.marker.evaluate() else ""


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _own_files(directory: Path, module: str) -> list[Path]:
    if (directory / f"{module}.py").is_file():
        return [directory / f"{module}.py"]
    return sorted((directory / module).rglob("*.py")) if (directory / module).is_dir() else []


def _imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Top names of what a file imports, and whether that happens only later or may fail."""
    try:
        body = ast.parse(file.read_text(encoding="utf-8", errors="replace")).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    waiting: list[tuple[ast.AST, bool]] = [(node, False) for node in body]
    while waiting:
        node, later = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((one.name.partition(".")[0], later) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], later
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            later = later or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Try | ast.If)
            waiting += [(one, later) for one in ast.iter_child_nodes(node)]
