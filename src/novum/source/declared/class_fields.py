"""Fields with a default: of dataclasses, pydantic models, named tuples and classes that are named as settings."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from novum.source.declared.declaration import Declared
from novum.source.declared.literal_value import literal_value
from novum.source.declared.python_source import PythonSource, keyword, words
from novum.source.program_text import terminal

_BASES = frozenset({"BaseModel", "BaseSettings", "NamedTuple", "PretrainedConfig", "Struct", "Chain"})
_DECORATORS = frozenset({"dataclass", "pytree_dataclass", "define", "frozen", "attrs", "attrclass"})
_NAMED = re.compile(r"config|cfg|args|arguments|h_?params|hyper|settings|params|parameters|options", re.IGNORECASE)
_FIELDS = frozenset({"field", "Field", "ib", "attrib"})


def class_fields(source: PythonSource) -> Iterator[Declared | None]:
    """The fields of all classes that hold settings, also of classes inside classes."""
    waiting = [(node, "") for node in reversed(source.tree.body)]
    while waiting:
        node, outer = waiting.pop()
        if isinstance(node, ast.ClassDef):
            name = f"{outer}{node.name}"
            if _holds_settings(node):
                yield from _fields(source, node, name)
            waiting += [(inner, f"{name}.") for inner in reversed(node.body)]


def _holds_settings(node: ast.ClassDef) -> bool:
    decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return (
        any(terminal(one) in _DECORATORS for one in decorators)
        or any(terminal(one) in _BASES for one in node.bases)
        or bool(_NAMED.search(node.name))
    )


def _fields(source: PythonSource, owner: ast.ClassDef, place: str) -> Iterator[Declared | None]:
    times = Counter(name for node in owner.body if (name := _target(node)))
    for index, node in enumerate(owner.body):
        name = _target(node)
        if times[name] != 1 or not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        value, doc = node.value, ""
        if isinstance(value, ast.Call) and terminal(value.func) in _FIELDS:
            value, doc = _described(value)
        below = owner.body[index + 1] if index + 1 < len(owner.body) else None
        if not doc and isinstance(below, ast.Expr):
            doc = words(below.value)
        kind = node.annotation if isinstance(node, ast.AnnAssign) else None
        yield source.declare(value, f"{place}.{name}", name, "field", kind=kind, doc=doc)


def _target(node: ast.stmt) -> str:
    """The name that a statement of a class assigns."""
    if isinstance(node, ast.AnnAssign):
        return node.target.id if isinstance(node.target, ast.Name) else ""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _described(call: ast.Call) -> tuple[ast.expr | None, str]:
    """The default and the help text that `field(...)` and `Field(...)` give."""
    default = keyword(call, "default") or (call.args[0] if call.args else None)
    doc = words(keyword(call, "description"))
    metadata = keyword(call, "metadata")
    if isinstance(metadata, ast.Dict):
        pairs = zip(metadata.keys, metadata.values, strict=True)
        doc = doc or next((words(value) for key, value in pairs if key and literal_value(key) == "help"), "")
    return default, doc
