"""What can be imported here, found out by reading files: no module of a candidate is ever imported to look at it."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import math
import time
import warnings
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import ModuleType

_COMPILED: dict[str, ModuleType] = {"math": math, "time": time}
"""Modules without Python source that programs use all the time."""

_DYNAMIC = frozenset({"os.path", "six.moves"})
_MODULE = (
    "__name__",
    "__file__",
    "__doc__",
    "__dict__",
    "__path__",
    "__spec__",
    "__loader__",
    "__package__",
    "__version__",
)


@lru_cache(maxsize=1024)
def exists(module: str) -> bool:
    """Whether `module` can be imported, as far as the import system can tell without running anything."""
    return module in _DYNAMIC or _spec(module) is not None


@lru_cache(maxsize=1024)
def _spec(module: str) -> importlib.machinery.ModuleSpec | None:
    parent, _, _ = module.rpartition(".")
    try:
        if not parent:
            return importlib.util.find_spec(module)
        above = _spec(parent)
        if above is None or above.submodule_search_locations is None:
            return None
        return importlib.machinery.PathFinder.find_spec(module, list(above.submodule_search_locations))
    except (ImportError, ValueError, AttributeError):
        return None


@lru_cache(maxsize=4096)
def has(module: str, name: str) -> bool:
    """False only when `module` exists and certainly has no `name`."""
    if name in _MODULE or exists(f"{module}.{name}"):
        return True
    if module in _COMPILED:
        return hasattr(_COMPILED[module], name)
    names = _names(module)
    return names is None or name in names


@lru_cache(maxsize=256)
def _names(module: str) -> frozenset[str] | None:
    """The names that a module binds, from its stub or its source, or None when that cannot be known."""
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    source = Path(spec.origin)
    stub = source.with_suffix(".pyi")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse((stub if stub.exists() else source).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    return _bound(tree)


def _bound(tree: ast.Module) -> frozenset[str] | None:
    found: set[str] = set()
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif node.id in ("globals", "setattr", "exec", "vars"):
                return None
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)  # entries of __all__ and of lazy tables
        todo += ast.iter_child_nodes(node)
    return None if found & {"*", "__getattr__"} else frozenset(chain(found))
