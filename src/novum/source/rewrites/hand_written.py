"""Descent that a program writes out itself: Adam for Adagrad in NumPy, an optimiser of PyTorch for `p -= lr * p.grad`.

Adagrad: Duchi, Hazan and Singer, JMLR 12, 2011. Adam: Kingma and Ba, ICLR 2015.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from novum.source.literals import written
from novum.source.program_text import Mutation, Program, terminal
from novum.source.rewrites.library_names import bracketed, number, reached, scaled
from novum.source.rewrites.loops import Loop, fresh, function
from novum.source.rewrites.training_loops import above, index
from novum.source.source_text import Edit

_ROOTS = frozenset({"sqrt"})


@dataclass(frozen=True, slots=True)
class _Adagrad:
    """`memory += gradient ** 2`, then `parameter -= rate * gradient / (sqrt(memory) + eps)`."""

    memory: ast.AugAssign
    update: ast.AugAssign
    gradient: str
    numerator: ast.expr


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Rewrites of hand-written descent."""
    if "sqrt" in source.text:
        yield from _adagrads(source)
    yield from _clips(source)
    if "torch" in source.text and ".grad" in source.text:
        yield from _loops_over_parameters(source)


def _adagrads(source: Program) -> Iterator[Mutation | None]:
    for body in source.bodies():
        for first in body:
            found = _adagrad(source, body, first)
            outer = _outermost(source, first) if found else None
            if found is not None and outer is not None and source.alone(outer):
                yield from _moments(source, found, outer)
                yield from _falling(source, found)


def _adagrad(source: Program, body: list[ast.stmt], first: ast.stmt) -> _Adagrad | None:
    if (
        not isinstance(first, ast.AugAssign)
        or not isinstance(first.op, ast.Add)
        or not isinstance(first.target, ast.Name)
    ):
        return None
    gradient = _square(source, first.value)
    for update in body[body.index(first) + 1 :] if gradient else ():
        if not isinstance(update, ast.AugAssign) or not isinstance(update.value, ast.BinOp):
            continue
        value = update.value
        roots = [part for part in ast.walk(value.right) if isinstance(part, ast.Call) and terminal(part.func) in _ROOTS]
        named = {part.id for root in roots for part in ast.walk(root) if isinstance(part, ast.Name)}
        if isinstance(value.op, ast.Div) and first.target.id in named and gradient in source.source(value.left):
            return _Adagrad(first, update, gradient, value.left)
    return None


def _square(source: Program, node: ast.expr) -> str:
    """The name whose square an expression is, or ""."""
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name):
        same = isinstance(node.op, ast.Mult) and source.source(node.right) == node.left.id
        if same or (isinstance(node.op, ast.Pow) and number(node.right) == 2):
            return node.left.id
    if isinstance(node, ast.Call) and terminal(node.func) == "square" and isinstance(node.args[0], ast.Name):
        return node.args[0].id
    return ""


def _outermost(source: Program, node: ast.AST) -> Loop | None:
    """The outermost loop of its function that a node stands in, but not one that only runs over the parameters."""
    home, found = function(source, node), []
    up = source.above(node, (ast.For, ast.While))
    while isinstance(up, ast.For | ast.While) and function(source, up) is home:
        found.append(up)
        up = source.above(up, (ast.For, ast.While))
    return (
        found[-1]
        if len(found) > 1
        or (found and not isinstance(found[0].iter if isinstance(found[0], ast.For) else None, ast.Call))
        else None
    )


def _moments(source: Program, found: _Adagrad, outer: Loop) -> Iterator[Mutation | None]:
    """Forgetting squares, with and without a mean of gradients; the rate falls as the squares no longer grow."""
    memory, gradient = source.source(found.memory.target), found.gradient
    forget = source.replace(found.memory.value, f"0.01 * ({source.source(found.memory.value)} - {memory})")
    for factor in (0.1, 0.03):
        text = f"{written(factor)} * {bracketed(source, found.numerator)}"
        words = f"lets {memory} forget, the rate times {factor}"
        yield source.mutation("rewrite.forgetting", found.memory, words, forget, source.replace(found.numerator, text))
        if not isinstance(found.update.target, ast.Name) or not source.alone(found.update):
            continue
        means, key = fresh(source, "means"), f"id({found.update.target.id})"
        begin = above(source, outer, [f"{means} = {{}}"])
        mean = above(source, found.update, [f"{means}[{key}] = 0.9 * {means}.get({key}, 0.0) + 0.1 * {gradient}"])
        edits = [
            source.replace(part, f"{means}[{key}]")
            for part in ast.walk(found.numerator)
            if isinstance(part, ast.Name) and part.id == gradient
        ]
        start = source.span(found.numerator)[0]
        scale = Edit(start, start, f"{written(factor)} * ")
        note = f"uses Adam for Adagrad, the rate times {factor}"
        yield source.mutation("rewrite.adam", found.update, note, begin, forget, mean, scale, *edits)


def _falling(source: Program, found: _Adagrad) -> Iterator[Mutation | None]:
    """A rate that falls to zero over the loop around the one over the parameters."""
    inner = source.above(found.update, (ast.For, ast.While))
    loop = source.above(inner, (ast.For, ast.While)) if inner is not None else None
    if not isinstance(loop, ast.For | ast.While) or (count := index(source, loop)) is None:
        return
    if "/" in source.source(found.numerator):
        return
    edit = source.replace(found.numerator, f"(1 - {count.at} / {count.total}) * {bracketed(source, found.numerator)}")
    yield source.mutation("rewrite.decay", found.update, "lets the rate fall to zero", edit, *count.edits)


def _clips(source: Program) -> Iterator[Mutation | None]:
    """Tighter bounds of `clip(gradient, -c, c, out=gradient)`, in both directions at once."""
    for node in source.nodes:
        if not isinstance(node, ast.Call) or terminal(node.func) != "clip" or len(node.args) != 3:
            continue
        _, low, high = node.args
        bound = number(high)
        if bound is None or not isinstance(low, ast.UnaryOp) or number(low.operand) != bound:
            continue
        if "grad" not in source.text and not any(item.arg == "out" for item in node.keywords):
            continue
        for factor in (0.2, 5.0):
            new = written(bound * factor)
            edits = (source.replace(low, f"-{new}"), source.replace(high, new))
            yield source.mutation("rewrite.clip", node, f"clips to {new} instead of {bound:g}", *edits)


def _loops_over_parameters(source: Program) -> Iterator[Mutation | None]:
    """`for p in parameters: p -= rate * p.grad` becomes a step of an optimiser."""
    for node in source.nodes:
        if not isinstance(node, ast.For) or not isinstance(node.target, ast.Name) or len(node.body) != 1:
            continue
        rate, outer = _rate(source, node), _beyond(source, node)
        if rate is None or outer is None or not source.alone(node) or not source.alone(outer):
            continue
        for name, more, factor in (
            ("Adam", "", 0.03),
            ("Adam", "", 0.01),
            ("SGD", ", momentum=0.9, nesterov=True", 0.3),
        ):
            made = reached(source, outer, f"torch.optim.{name}")
            if made is None:
                continue
            wanted, group = fresh(source, "optimiser"), fresh(source, "group")
            begin = above(source, outer, [f"{wanted} = {made[0]}({source.source(node.iter)}, lr=0.001{more})"])
            pad = source.indent(node)
            text = (
                f'for {group} in {wanted}.param_groups:\n{pad}    {group}["lr"] = {scaled(source, rate, factor)}\n'
                f"{pad}{wanted}.step()"
            )
            note = f"steps by {name}, the rate times {factor}"
            yield source.mutation("rewrite.optimiser", node, note, begin, source.replace(node, text), *made[1])


def _rate(source: Program, loop: ast.For) -> ast.expr | None:
    """The rate in `p -= rate * p.grad`, `p.data += -rate * p.grad` and their kin."""
    item = loop.body[0]
    assert isinstance(loop.target, ast.Name)
    name = loop.target.id
    if not isinstance(item, ast.AugAssign) or source.source(item.target) not in (name, f"{name}.data"):
        return None
    value = item.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Mult):
        return None
    if source.source(value.right) not in (f"{name}.grad", f"{name}.grad.data"):
        return None
    rate = value.left
    if isinstance(item.op, ast.Add):
        return rate.operand if isinstance(rate, ast.UnaryOp) and isinstance(rate.op, ast.USub) else None
    return rate if isinstance(item.op, ast.Sub) else None


def _beyond(source: Program, node: ast.For) -> Loop | None:
    """The outermost loop around the one over the parameters, which must be a name that both can see."""
    if not isinstance(node.iter, ast.Name | ast.Call):
        return None
    home, found = function(source, node), None
    up = source.above(node, (ast.For, ast.While))
    while isinstance(up, ast.For | ast.While) and function(source, up) is home:
        found = up
        up = source.above(up, (ast.For, ast.While))
    return found
