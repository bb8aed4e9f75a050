"""Point mutations of expressions: operators, numbers, arguments, names of sibling functions, strings of an enumeration.

The classes are those of mutation testing (DeMillo, Lipton and Sayward 1978), read as search moves. Each replaces spans
of the text, so that all other bytes stay.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from itertools import pairwise

from novum.source.literals import Literal, Number, skeleton, written
from novum.source.program_text import Mutation, Program, terminal
from novum.source.source_text import Edit

_ARITHMETIC: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("/",)),
    ast.Div: ("/", ("*",)),
    ast.FloorDiv: ("//", ("/", "%")),
    ast.Mod: ("%", ("//",)),
}
_COMPARE: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
}
SIBLINGS: tuple[tuple[str, ...], ...] = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("sin", "cos", "tanh"),
    ("sum", "max", "min"),
    ("mean", "median"),
    ("floor", "ceil"),
    ("any", "all"),
    ("uniform", "gauss"),
    ("uniform", "normal"),
    ("heappush", "heappushpop"),
    ("append", "appendleft"),
    ("pop", "popleft"),
)
ENUMERATIONS: tuple[tuple[str, ...], ...] = (
    ("rbf", "linear", "poly", "sigmoid"),
    ("uniform", "distance"),
    ("gini", "entropy", "log_loss"),
    ("euclidean", "manhattan", "cosine", "chebyshev"),
    ("relu", "tanh", "logistic", "identity"),
    ("adam", "lbfgs", "sgd"),
    ("lbfgs", "newton-cg", "saga", "liblinear"),
    ("svd", "lsqr", "eigen"),
    ("sqrt", "log2"),
    ("Nelder-Mead", "Powell", "BFGS", "L-BFGS-B", "COBYLA", "SLSQP", "TNC", "CG"),
    ("best1bin", "rand1bin", "currenttobest1bin", "best2bin"),
    ("mean", "median", "most_frequent"),
    ("scale", "auto"),
    ("nearest", "linear", "cubic"),
    ("sobol", "halton", "latinhypercube"),
)


def expressions(source: Program) -> Iterator[Mutation | None]:
    """All point mutations of a file."""
    yield from numbers(source.text, source.path)
    for node in source.nodes:
        if isinstance(node, ast.BinOp):
            yield from _binary(source, node)
        elif isinstance(node, ast.AugAssign):
            yield from _augmented(source, node)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _comparison(source, node)
        elif isinstance(node, ast.BoolOp) and len(node.values) == 2:
            yield from _boolean(source, node)
        elif isinstance(node, ast.Call):
            yield from _call(source, node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _string(source, node)


def numbers(text: str, path: str) -> Iterator[Mutation]:
    """Other values of the literals of a file in any language."""
    for literal in skeleton(text, path).literals:
        for operator, value, verb in _steps(literal):
            yield Mutation(operator, path, literal.line, (literal.edit(value),), f"{verb} {literal.name}")


def _steps(literal: Literal) -> Iterator[tuple[str, Number, str]]:
    """Other values of a literal, in steps that suit its size."""
    value = literal.value
    if isinstance(value, bool):
        yield "number.flip", not value, f"sets to {not value}"
    elif isinstance(value, int):
        for step in (1, -1):
            yield "number.step", value + step, f"sets to {value + step}"
        if abs(value) > 2:
            yield "number.double", value * 2, "doubles"
            yield "number.halve", value // 2, "halves"
        if abs(value) > 9:
            yield "number.times", value * 5, "multiplies by 5"
            yield "number.times", math.ceil(value / 5), "divides by 5"
    elif value == 0.0:
        for other in (0.1, 1.0):
            yield "number.step", other, f"sets to {other}"
    else:
        yield "number.double", value * 2, "doubles"
        yield "number.halve", value / 2, "halves"
        for factor in (10.0, 0.1, 1.25, 0.8):
            yield (
                ("number.times" if factor in (10.0, 0.1) else "number.step"),
                value * factor,
                f"multiplies by {factor}",
            )
        if 0.5 < abs(value) < 1:
            near = math.copysign(1 - (1 - abs(value)) / 2, value)
            yield "number.step", near, f"sets to {written(near)}"
        yield "number.sign", -value, "turns the sign of"


def _binary(source: Program, node: ast.BinOp) -> Iterator[Mutation | None]:
    if isinstance(node.left, ast.Constant | ast.JoinedStr) and not isinstance(
        getattr(node.left, "value", 0), int | float
    ):
        return  # "%s" % name is no arithmetic
    if (known := _ARITHMETIC.get(type(node.op))) is not None:
        yield from _swapped(source, node, "operator.arithmetic", known, (node.left, node.right))


def _comparison(source: Program, node: ast.Compare) -> Iterator[Mutation | None]:
    if (known := _COMPARE.get(type(node.ops[0]))) is not None:
        yield from _swapped(source, node, "operator.compare", known, (node.left, node.comparators[0]))


def _boolean(source: Program, node: ast.BoolOp) -> Iterator[Mutation | None]:
    known = ("and", ("or",)) if isinstance(node.op, ast.And) else ("or", ("and",))
    yield from _swapped(source, node, "operator.boolean", known, (node.values[0], node.values[1]))


def _augmented(source: Program, node: ast.AugAssign) -> Iterator[Mutation | None]:
    if (known := _ARITHMETIC.get(type(node.op))) is not None:
        old, new = known
        sides = (node.target, node.value)
        yield from _swapped(source, node, "operator.assign", (f"{old}=", tuple(f"{op}=" for op in new)), sides)


def _swapped(
    source: Program,
    node: ast.expr | ast.stmt,
    operator: str,
    known: tuple[str, tuple[str, ...]],
    sides: tuple[ast.expr, ast.expr],
) -> Iterator[Mutation | None]:
    """Other operators in the gap between two operands; a gap with a comment or a line end in it is left alone."""
    old, others = known
    start, end = source.span(sides[0])[1], source.span(sides[1])[0]
    gap = source.text[start:end]
    if gap.strip("() \t") != old:
        return
    at = start + gap.index(old)
    for new in others:
        yield source.mutation(operator, node, f"{old} becomes {new}", Edit(at, at + len(old), new))


def _call(source: Program, node: ast.Call) -> Iterator[Mutation | None]:
    name = terminal(node.func)
    if name:
        _, end = source.span(node.func)
        for family in SIBLINGS:
            for other in family if name in family else ():
                if other != name:
                    edit = Edit(end - len(name), end, other)
                    yield source.mutation("name.sibling", node, f"{name} becomes {other}", edit)
    plain = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
    for one, two in pairwise(plain):
        edits = (source.replace(one, source.source(two)), source.replace(two, source.source(one)))
        yield source.mutation("argument.swap", node, f"swaps two arguments of {name or 'a call'}", *edits)
    yield from _keywords(source, node, name)


def _keywords(source: Program, node: ast.Call, name: str) -> Iterator[Mutation | None]:
    items: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=source.span)
    for index, item in enumerate(items):
        if not isinstance(item, ast.keyword) or item.arg is None:
            continue
        start, end = source.span(item)
        if index:
            start = source.span(items[index - 1])[1]
            if source.text[start : source.span(item)[0]].strip(" \n") != ",":
                continue
        elif len(items) > 1:
            end = source.span(items[1])[0]
        yield source.mutation("argument.drop", node, f"drops {item.arg} of {name or 'a call'}", Edit(start, end, ""))
        if isinstance(item.value, ast.Constant) and item.value.value is None:
            for new in ("3", "10"):
                edit = source.replace(item.value, new)
                yield source.mutation("argument.set", node, f"sets to {new} {item.arg} of {name or 'a call'}", edit)


def _string(source: Program, node: ast.Constant) -> Iterator[Mutation | None]:
    if not isinstance(source.parents[node], ast.keyword | ast.Call | ast.Assign):
        return
    for family in ENUMERATIONS:
        for other in family if node.value in family else ():
            if other != node.value:
                edit = source.replace(node, repr(other))
                yield source.mutation("name.choice", node, f"{node.value!r} becomes {other!r}", edit)
