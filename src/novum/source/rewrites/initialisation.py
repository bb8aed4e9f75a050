"""Other first weights for models of PyTorch: by a distribution, zero where a model or a residual branch ends.

Xavier: Glorot and Bengio, AISTATS 2010. Kaiming: He et al., ICCV 2015. Orthogonal: Saxe et al., ICLR 2014. Zero last
layers: Zhang, Dauphin and Ma, ICLR 2019.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from novum.source.program_text import Mutation, Program
from novum.source.rewrites.layers import Layer, enclosing_class, layers, residual_outputs
from novum.source.rewrites.library_names import full_name, reached
from novum.source.rewrites.loops import fresh, function
from novum.source.rewrites.training_loops import below, optimiser_calls

_WEIGHTS = (
    ("normal weights of deviation 0.02", "normal_", ", std=0.02"),
    ("orthogonal weights", "orthogonal_", ""),
    ("Kaiming weights", "kaiming_normal_", ', nonlinearity="relu"'),
    ("Xavier weights", "xavier_uniform_", ""),
)
_OUTPUTS = frozenset(
    {"head", "lm_head", "out", "fc_out", "output", "classifier", "decoder", "readout", "to_logits", "logits"}
)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Other first weights for each model that is made, and for the last layers of each class."""
    if "torch" not in source.text:
        return
    for maker in _models(source):
        yield from _distributions(source, maker)
        yield from _last_of_sequence(source, maker)
    if ".apply(" not in source.text:
        yield from _zeros(source)


def _models(source: Program) -> list[ast.Assign]:
    """The statements that make a model whose parameters an optimiser gets."""
    found = []
    for call, _ in optimiser_calls(source):
        names = {
            source.source(part.func.value)
            for arg in call.args[:1]
            for part in ast.walk(arg)
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "parameters"
        }
        home = function(source, call)
        makers = [
            node
            for node in source.nodes
            if isinstance(node, ast.Assign)
            and source.source(node.targets[0]) in names
            and isinstance(node.value, ast.Call)
            and node.lineno < call.lineno
            and function(source, node) is home
        ]
        found += [node for node in makers[:1] if source.alone(node) and len(node.targets) == 1]
    return found


def _distributions(source: Program, maker: ast.Assign) -> Iterator[Mutation | None]:
    model = source.source(maker.targets[0])
    if f"{model}.modules()" in source.text or f"{model}.apply(" in source.text:
        return
    nn = reached(source, maker, "torch.nn")
    if nn is None:
        return
    module = fresh(source, "module")
    for words, init, more in _WEIGHTS:
        kinds = f"({nn[0]}.Linear, {nn[0]}.Embedding)" if init == "normal_" else f"{nn[0]}.Linear"
        lines = [
            f"for {module} in {model}.modules():",
            f"    if isinstance({module}, {kinds}):",
            f"        {nn[0]}.init.{init}({module}.weight{more})",
            f'        if getattr({module}, "bias", None) is not None:',
            f"            {nn[0]}.init.zeros_({module}.bias)",
        ]
        note = f"gives {model} {words} first"
        yield source.mutation("rewrite.initial", maker, note, below(source, maker, lines), *nn[1])


def _last_of_sequence(source: Program, maker: ast.Assign) -> Iterator[Mutation | None]:
    """Zero weights for the last layer of a model that is one `nn.Sequential`."""
    call, model = maker.value, source.source(maker.targets[0])
    if not isinstance(call, ast.Call) or full_name(source, call.func) != "torch.nn.Sequential" or not call.args:
        return
    last, line = call.args[-1], f"{model}[-1].weight"
    linear = isinstance(last, ast.Call) and full_name(source, last.func) == "torch.nn.Linear"
    made = reached(source, maker, "torch.nn.init.zeros_")
    if linear and made is not None and line not in source.text and f"{model}.modules()" not in source.text:
        insert = below(source, maker, [f"{made[0]}({line})"])
        yield source.mutation("rewrite.zero_output", maker, f"starts {model} with output zero", insert, *made[1])


def _zeros(source: Program) -> Iterator[Mutation | None]:
    """Zero or smaller weights for layers of classes that end a model or a residual branch."""
    branches = residual_outputs(source)
    for layer in layers(source):
        weight = f"{layer.place}.weight"
        if layer.kind != "Linear" or f"({weight}" in source.text or f"{weight} = " in source.text:
            continue
        if layer.name in _OUTPUTS and layer not in branches and _ends(source, layer):
            yield from _zero(source, layer, weight, "rewrite.zero_output", f"starts {layer.name} with weights of zero")
    yield from _branch_ends(source, branches)


def _branch_ends(source: Program, branches: Mapping[Layer, str]) -> Iterator[Mutation | None]:
    """Zero or small weights where the residual branches of a file end, in all of them at once."""
    weights = {layer: f"{layer.place}{element}.weight" for layer, element in branches.items()}
    if not weights or any(f"({weight}" in source.text for weight in weights.values()):
        return
    first = next(iter(weights))
    for operator, init, more, note in (
        ("rewrite.zero_branch", "zeros_", "", "starts residual branches at zero"),
        ("rewrite.small_branch", "normal_", ", std=0.005", "starts residual branches near zero"),
    ):
        made = reached(source, first.call, f"torch.nn.init.{init}")
        if made is not None:
            edits = [below(source, layer.statement, [f"{made[0]}({weights[layer]}{more})"]) for layer in weights]
            yield source.mutation(operator, first.statement, note, *edits, *made[1])


def _ends(source: Program, layer: Layer) -> bool:
    """Whether the class of a layer is not itself a part of another class."""
    home = enclosing_class(source, layer.statement)
    return home is not None and not any(f"self.{other.name} = {home.name}(" in source.text for other in layers(source))


def _zero(source: Program, layer: Layer, weight: str, operator: str, note: str) -> Iterator[Mutation | None]:
    made = reached(source, layer.call, "torch.nn.init.zeros_")
    if made is not None:
        insert = below(source, layer.statement, [f"{made[0]}({weight})"])
        yield source.mutation(operator, layer.statement, note, insert, *made[1])
