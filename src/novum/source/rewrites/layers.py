"""Layers that classes of PyTorch keep as attributes, and the residual branches among them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from novum.source.program_text import Program
from novum.source.rewrites.library_names import full_name


@dataclass(frozen=True, slots=True)
class Layer:
    """An attribute of a class that holds a module: `self.name = nn.Kind(...)`, or a class of the same file."""

    name: str
    kind: str
    owner: str
    call: ast.Call
    statement: ast.Assign

    @property
    def place(self) -> str:
        """How methods of the class write it."""
        return f"self.{self.name}"


@dataclass(frozen=True, slots=True)
class Branch:
    """A residual sum `x = x + self.name(...)` in a method of the class `owner`, which `norm` may be called with.

    `call` is all of what is added, dropout included; `inner` is the call that gets the stream, `name` that of the part.
    """

    statement: ast.Assign | ast.AugAssign
    stream: str
    call: ast.Call
    inner: ast.Call
    name: str
    owner: str
    norm: ast.Call | None = None


def enclosing_class(source: Program, node: ast.AST) -> ast.ClassDef | None:
    """The class that a node stands in."""
    found = source.above(node, ast.ClassDef)
    return found if isinstance(found, ast.ClassDef) else None


@lru_cache(maxsize=64)
def layers(source: Program) -> tuple[Layer, ...]:
    """The attributes of classes that hold modules, as their classes set them."""
    own = {node.name for node in source.nodes if isinstance(node, ast.ClassDef)}
    found = []
    for node in source.nodes:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.value, ast.Call):
            continue
        target, home = node.targets[0], enclosing_class(source, node)
        if home is None or attribute(target) is None or not source.alone(node):
            continue
        full, func = full_name(source, node.value.func), node.value.func
        local = func.id if isinstance(func, ast.Name) and func.id in own else ""
        if local or full.startswith("torch.nn."):
            kind = local or full.rsplit(".", 1)[1]
            found.append(Layer(attribute(target) or "", kind, home.name, node.value, node))
    return tuple(found)


def attribute(node: ast.expr) -> str | None:
    """The name of an attribute of `self`."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if own and isinstance(node, ast.Attribute) else None


@lru_cache(maxsize=64)
def branches(source: Program) -> tuple[Branch, ...]:
    """The residual sums of the methods of a file whose branch is a call of an attribute."""
    found = (_branch(source, node) for node in source.nodes if isinstance(node, ast.Assign | ast.AugAssign))
    return tuple(one for one in found if one is not None)


def _branch(source: Program, node: ast.Assign | ast.AugAssign) -> Branch | None:
    home = enclosing_class(source, node)
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    if home is None or not isinstance(target, ast.Name):
        return None
    value = node.value
    norm: ast.Call | None = None
    if isinstance(node, ast.AugAssign):
        added: ast.expr | None = value if isinstance(node.op, ast.Add) else None
    else:
        if isinstance(value, ast.Call) and attribute(value.func) and len(value.args) == 1:
            norm = value
            value = norm.args[0]
        sums = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add)
        added = value.right if isinstance(value, ast.BinOp) and sums and _is(value.left, target.id) else None
    if not isinstance(added, ast.Call) or attribute(added.func) is None:
        return None
    inner, name = added, attribute(added.func) or ""
    while inner.args and isinstance(call := inner.args[0], ast.Call) and (below := attribute(call.func)):
        inner, name = call, below if "drop" in name else name
    return Branch(node, target.id, added, inner, name, home.name, norm)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def residual_outputs(source: Program) -> dict[Layer, str]:
    """The layers that end a residual branch, each with the element of it that does: "", "[2]", ".out_proj"."""
    known = {(layer.owner, layer.name): layer for layer in layers(source)}
    found: dict[Layer, str] = {}
    for branch in branches(source):
        layer = known.get((branch.owner, branch.name))
        if layer is None:
            continue
        if layer.kind == "Linear":
            found[layer] = ""
        elif layer.kind == "Sequential":
            places = [place for place, item in enumerate(layer.call.args) if _linear(source, item)]
            if places and not any(isinstance(item, ast.Starred) for item in layer.call.args):
                found[layer] = f"[{places[-1]}]"
        elif layer.kind == "MultiheadAttention":
            found[layer] = ".out_proj"
        else:
            end = known.get((layer.kind, _returned(source, layer.kind) or ""))
            if end is not None and end.kind == "Linear":
                found[end] = ""
    return found


def _linear(source: Program, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and full_name(source, node.func) == "torch.nn.Linear"


def _returned(source: Program, name: str) -> str | None:
    """The attribute whose call the `forward` of a class of the file returns, through dropout or not."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef) and node.name == "forward":
            home = enclosing_class(source, node)
            if home is None or home.name != name or not isinstance(node.body[-1], ast.Return):
                continue
            value = node.body[-1].value
            while isinstance(value, ast.Call) and (last := attribute(value.func)):
                if "drop" not in last:
                    return last
                value = value.args[0] if value.args else None
    return None
