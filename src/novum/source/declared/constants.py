"""Constants: names that a module, its main block or its main function assigns once, and keys of dictionaries."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from novum.source.declared.declaration import Declared, How
from novum.source.declared.literal_value import literal_value
from novum.source.declared.python_source import Function, PythonSource, dotted

_MAIN = frozenset({"main", "train", "get_config", "default_config", "get_default_config"})
_OTHER_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_MOST_NESTED = 6


def constants(source: PythonSource) -> Iterator[Declared | None]:
    """The constants of a module, of its main block and of functions named as the main one."""
    shared = {name for node in source.nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    times = _times(source.tree.body, shared)
    yield from _assigned(source, source.tree.body, "", times)
    for node in source.tree.body:
        if isinstance(node, ast.If) and _is_main(node.test):
            yield from _assigned(source, node.body, "__main__: ", times)
        elif isinstance(node, Function) and node.name in _MAIN:
            yield from _assigned(source, node.body, f"{node.name}: ", _times(node.body, shared))


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and literal_value(test.comparators[0]) == "__main__"
    )


def _times(body: list[ast.stmt], shared: set[str]) -> Counter[str]:
    """How often each name is bound in a scope; names that inner functions bind count twice, as nobody knows."""
    times = Counter(dict.fromkeys(shared, 2))
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            times[dotted(node)] += 1
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            times[node.name] += 1
        if isinstance(node, ast.Import | ast.ImportFrom):
            times.update((one.asname or one.name).partition(".")[0] for one in node.names)
        if not isinstance(node, _OTHER_SCOPES):
            waiting += ast.iter_child_nodes(node)
    return times


def _assigned(source: PythonSource, body: list[ast.stmt], lead: str, times: Counter[str]) -> Iterator[Declared | None]:
    for node in body:
        if isinstance(node, ast.AnnAssign):
            yield from _value(source, node.target, node.value, lead, times, node.annotation)
        elif isinstance(node, ast.Assign):
            for target, value in _pairs(node.targets[0], node.value):
                if all(isinstance(one, ast.Name) and times[one.id] == 1 for one in node.targets[1:]):
                    yield from _value(source, target, value, lead, times, None)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """A target and its value, one by one for `a, b = 1, 2`."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        starred = any(isinstance(one, ast.Starred) for one in (*target.elts, *value.elts))
        if len(target.elts) == len(value.elts) and not starred:
            yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _value(
    source: PythonSource, target: ast.expr, value: ast.expr | None, lead: str, times: Counter[str],
    kind: ast.expr | None,
) -> Iterator[Declared | None]:  # fmt: skip
    path = dotted(target)
    root, _, rest = path.partition(".")
    if value is None or times[path] != 1 or root.startswith("__") or (rest and root in {*source.imported, "self"}):
        return
    if isinstance(value, ast.Dict | ast.Call):
        yield from _keys(source, value, f"{lead}{path}", 0)
    how: How = "field" if rest else "constant"
    yield source.declare(value, f"{lead}{path}", path.rpartition(".")[2], how, kind=kind)


def _keys(source: PythonSource, node: ast.expr, place: str, depth: int) -> Iterator[Declared | None]:
    """The literals of `{"lr": 3e-4}` and `dict(lr=3e-4)`, also inside one another."""
    pairs: list[tuple[object, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [(literal_value(key), value) for key, value in zip(node.keys, node.values, strict=True)]
    elif isinstance(node, ast.Call) and _is_dictionary(node):
        pairs = [(one.arg, one.value) for one in node.keywords]
    names = Counter(name for name, _ in pairs)
    for name, value in pairs:
        if isinstance(name, str) and name and names[name] == 1:
            yield source.declare(value, f"{place}.{name}", name, "key")
            if depth < _MOST_NESTED:
                yield from _keys(source, value, f"{place}.{name}", depth + 1)


def _is_dictionary(call: ast.Call) -> bool:
    name = dotted(call.func).rpartition(".")[2]
    return name in ("dict", "SimpleNamespace", "Namespace", "ConfigDict", "EasyDict", "edict", "AttrDict", "CfgNode")
