"""The value of a Python expression that is made of literals only, worked out without running anything."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from novum.core.model.candidate import Scalar
from novum.source.declared.declaration import LARGEST

_DEEPEST = 12
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def literal_value(node: ast.expr | None) -> Scalar | None:
    """The value of `3e-4`, `-1`, `2 ** 9`, `int(1e6)` or `"adam"`; None for what is no such literal."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, str | bool):
            return value
    number = _number(node, 0) if node is not None else None
    return number if number is not None and math.isfinite(number) and abs(number) <= LARGEST else None


def _number(node: ast.expr, depth: int) -> int | float | None:
    if depth > _DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        value = node.value
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _number(node.operand, depth + 1)
        return -inner if inner is not None and isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, depth + 1), _number(node.right, depth + 1)
        return None if left is None or right is None else _combined(node.op, left, right)
    if isinstance(node, ast.Call):
        return _converted(node, depth)
    return None


def _combined(how: ast.operator, left: int | float, right: int | float) -> int | float | None:
    """The result of one operation, None where it has none or a very large one."""
    try:
        if isinstance(how, ast.LShift):
            small = isinstance(left, int) and isinstance(right, int) and 0 <= right <= 50 and abs(left) <= LARGEST
            return int(left) << int(right) if small else None
        if isinstance(how, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
            return None
        known = _OPERATORS.get(type(how))
        result: object = known(left, right) if known else None
    except (ArithmeticError, ValueError):
        return None
    return result if isinstance(result, int | float) else None


def _converted(node: ast.Call, depth: int) -> int | float | None:
    """The value of `int(1e6)` and `float(3)`."""
    if not isinstance(node.func, ast.Name) or node.func.id not in ("int", "float"):
        return None
    if len(node.args) != 1 or node.keywords:
        return None
    inner = _number(node.args[0], depth + 1)
    if inner is None or not math.isfinite(inner):
        return None
    return int(inner) if node.func.id == "int" else float(inner)


def listed(node: ast.expr | None, names: dict[str, ast.expr]) -> tuple[Scalar, ...]:
    """The values of a list, tuple, set or of the keys of a dictionary; `names` holds the constants of the module."""
    for _ in range(_DEEPEST):
        if isinstance(node, ast.Name):
            node = names.get(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
            node = node.func.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("list", "tuple", "sorted", "set")
            and len(node.args) == 1
        ):
            node = node.args[0]
        else:
            break
    items: list[ast.expr | None] = []
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = list(node.elts)
    elif isinstance(node, ast.Dict):
        items = list(node.keys)
    values = [literal_value(item) for item in items]
    found = [value for value in values if value is not None]
    return tuple(found) if len(found) == len(items) else ()
