"""Parts of networks in PyTorch exchanged or put in: activations, normalisation, dropout.

GELU: Hendrycks and Gimpel, arXiv:1606.08415. Squared ReLU: So et al., NeurIPS 2021. RMSNorm: Zhang and Sennrich,
NeurIPS 2019. Layer normalisation: Ba, Kiros and Hinton, arXiv:1607.06450.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from novum.source.program_text import Mutation, Program
from novum.source.rewrites.layers import Layer, attribute, enclosing_class, layers
from novum.source.rewrites.library_names import argument, calls, full_name, number, plain, reached
from novum.source.source_text import Edit

_MODULES = ("ReLU", "GELU", "SiLU", "Tanh")
_FUNCTIONS = {"relu": "relu", "gelu": "gelu", "silu": "silu", "tanh": "tanh"}
_NORMS = {"Linear": ("LayerNorm", "RMSNorm", "BatchNorm1d"), "Conv2d": ("BatchNorm2d",)}
_MORE_MODULES = frozenset({*_MODULES, "LeakyReLU", "ELU", "Sigmoid", "Mish", "Hardswish"})


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Other parts for the networks of a file."""
    if "torch" not in source.text:
        return
    yield from _activations(source)
    yield from _exchanged_norms(source)
    yield from _norms_in_sequences(source)
    yield from _norms_in_functions(source)
    yield from _dropout(source)


def _activations(source: Program) -> Iterator[Mutation | None]:
    """Another activation in all places of one, as a study of activations would."""
    made = calls(source, "torch.nn")
    for old in _MODULES:
        places = [call for call, name in made if name == old]
        for new in _MODULES if places else ():
            if new != old and (name := reached(source, places[0], f"torch.nn.{new}")):
                edits = [source.replace(call, f"{name[0]}()") for call in places]
                yield source.mutation("rewrite.activation", places[0], f"{old} becomes {new}", *edits, *name[1])
    named = calls(source, "torch.nn.functional")
    named += [(call, name) for call, name in calls(source, "torch") if name == "relu"]
    for old in _FUNCTIONS:
        places = [call for call, name in named if name == old and len(call.args) == 1]
        if places:
            yield from _functions(source, old, places)


def _functions(source: Program, old: str, places: list[ast.Call]) -> Iterator[Mutation | None]:
    for new in _FUNCTIONS:
        if new != old and (name := reached(source, places[0], f"torch.nn.functional.{new}")):
            edits = [Edit(*source.span(call.func), name[0]) for call in places]
            yield source.mutation("rewrite.activation", places[0], f"{old} becomes {new}", *edits, *name[1])
    squared = [call for call in places if not _squared(source, call)]
    if old == "relu" and squared:
        ends = [source.span(call)[1] for call in squared]
        edits = [Edit(end, end, ".square()") for end in ends]
        yield source.mutation("rewrite.activation", squared[0], "relu becomes its square", *edits)


def _squared(source: Program, call: ast.Call) -> bool:
    parent = source.parents[call]
    return isinstance(parent, ast.BinOp | ast.Attribute)


def _exchanged_norms(source: Program) -> Iterator[Mutation | None]:
    made = calls(source, "torch.nn")
    for old, new in (("LayerNorm", "RMSNorm"), ("RMSNorm", "LayerNorm")):
        places = [call for call, name in made if name == old and call.args]
        name = reached(source, places[0], f"torch.nn.{new}") if places else None
        if name is None or any(not plain(call) for call in places):
            continue
        edits = [source.replace(call, f"{name[0]}({source.source(call.args[0])})") for call in places]
        yield source.mutation("rewrite.norm", places[0], f"{old} becomes {new}", *edits, *name[1])


def _norms_in_sequences(source: Program) -> Iterator[Mutation | None]:
    """A normalisation between each linear layer of a sequence and the activation behind it."""
    for node in source.nodes:
        items = _sequence(source, node)
        pairs = [(one, two) for one, two in pairwise(items) if _kind(source, two) in _MORE_MODULES]
        for kind, norms in _NORMS.items():
            places = [one for one, _ in pairs if _kind(source, one) == kind and isinstance(one, ast.Call)]
            for norm in norms if places else ():
                if norm != "BatchNorm1d" or "Embedding" not in source.text:
                    yield _norm_behind(source, places, norm)


def _norm_behind(source: Program, places: list[ast.Call], norm: str) -> Mutation | None:
    name = reached(source, places[0], f"torch.nn.{norm}")
    widths = [argument(call, "out_channels" if norm == "BatchNorm2d" else "out_features", 1) for call in places]
    if name is None or any(width is None for width in widths):
        return None
    edits = [
        Edit(source.span(call)[1], source.span(call)[1], f", {name[0]}({source.source(width)})")
        for call, width in zip(places, widths, strict=True)
        if width is not None
    ]
    return source.mutation("rewrite.add_norm", places[0], f"puts {norm} before activations", *edits, *name[1])


def _sequence(source: Program, node: ast.AST) -> list[ast.expr]:
    """The modules of an `nn.Sequential` or of a list."""
    if isinstance(node, ast.Call) and full_name(source, node.func) == "torch.nn.Sequential":
        return node.args
    return node.elts if isinstance(node, ast.List) and isinstance(node.ctx, ast.Load) else []


def _kind(source: Program, node: ast.expr) -> str:
    full = full_name(source, node.func) if isinstance(node, ast.Call) else ""
    return full.removeprefix("torch.nn.") if full.startswith("torch.nn.") else ""


def _norms_in_functions(source: Program) -> Iterator[Mutation | None]:
    """Layer normalisation between a linear layer and an activation that is called as a function."""
    known = {(layer.owner, layer.name): layer for layer in layers(source)}
    named = [*calls(source, "torch.nn.functional"), *calls(source, "torch")]
    places = []
    for call, name in named:
        inner = call.args[0] if name in _FUNCTIONS and len(call.args) == 1 else None
        home = enclosing_class(source, call)
        layer = attribute(inner.func) if isinstance(inner, ast.Call) else None
        if isinstance(inner, ast.Call) and home and layer and _is_linear(known.get((home.name, layer))):
            places.append((inner, layer))
    made = reached(source, places[0][0], "torch.nn.functional.layer_norm") if places else None
    if made is not None:
        edits = [
            source.replace(inner, f"{made[0]}({source.source(inner)}, (self.{layer}.out_features,))")
            for inner, layer in places
        ]
        note = "puts layer normalisation before activations"
        yield source.mutation("rewrite.add_norm", places[0][0], note, *edits, *made[1])


def _is_linear(layer: Layer | None) -> bool:
    return layer is not None and layer.kind == "Linear"


def _dropout(source: Program) -> Iterator[Mutation | None]:
    """Other rates of dropout; dropout behind activations where training and evaluation are told apart."""
    made = [(call, name) for call, name in calls(source, "torch.nn") if name == "Dropout"]
    for call, _ in made:
        there = argument(call, "p", 0)
        now = 0.5 if there is None else number(there)
        for value in (0.0, 0.1, 0.2) if now is not None else ():
            if value != now:
                edits = _with_rate(source, call, there, value)
                yield source.mutation("rewrite.dropout", call, f"sets dropout to {value}", *edits)
    if made or (".backward(" in source.text and ".eval()" not in source.text):
        return
    for node in source.nodes:
        places = [item for item in _sequence(source, node) if _kind(source, item) in _MORE_MODULES]
        name = reached(source, places[0], "torch.nn.Dropout") if places else None
        for rate in ("0.1", "0.2") if name else ():
            assert name is not None
            edits = [
                Edit(source.span(item)[1], source.span(item)[1], f", {name[0]}({rate})")
                for item in places
                if isinstance(item, ast.Call)
            ]
            note = f"adds dropout of {rate} behind activations"
            yield source.mutation("rewrite.dropout", places[0], note, *edits, *name[1])


def _with_rate(source: Program, call: ast.Call, there: ast.expr | None, value: float) -> list[Edit]:
    if there is not None:
        return [source.replace(there, str(value))]
    end = source.span(call)[1] - 1
    return [Edit(end, end, str(value))]
