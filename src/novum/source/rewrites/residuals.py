"""Wiring of networks in PyTorch: normalisation before branches, their scale, normalised attention, shared weights.

Normalisation before branches: Xiong et al., ICML 2020. Normalised queries and keys: Henry et al., EMNLP Findings 2020.
Shared weights: Press and Wolf, EACL 2017.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from novum.source.program_text import Mutation, Program
from novum.source.rewrites.layers import Branch, Layer, attribute, branches, layers
from novum.source.rewrites.library_names import argument, full_name, number, reached
from novum.source.rewrites.training_loops import below
from novum.source.source_text import Edit

_ATTENTION = "torch.nn.functional.scaled_dot_product_attention"


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Other wiring for the classes of a file."""
    if "torch" not in source.text:
        return
    for branch in branches(source):
        yield from _norm_before(source, branch)
    yield _smaller(source)
    yield _norms_moved(source)
    yield from _normed_attention(source)
    yield from _shared(source)


def _gets_stream(branch: Branch) -> bool:
    first = branch.inner.args[0] if len(branch.inner.args) == 1 else None
    return isinstance(first, ast.Name) and first.id == branch.stream


def _norm_before(source: Program, branch: Branch) -> Iterator[Mutation | None]:
    """Layer normalisation of the input of a branch that takes the stream as it is."""
    made = reached(source, branch.call, "torch.nn.functional.layer_norm")
    part = attribute(branch.inner.func) or ""
    if branch.norm is None and _gets_stream(branch) and "norm" not in part and "ln" not in part and made is not None:
        edit = source.replace(branch.inner.args[0], f"{made[0]}({branch.stream}, {branch.stream}.shape[-1:])")
        yield source.mutation("rewrite.norm_before", branch.call, f"normalises what {branch.name} gets", edit, *made[1])


def _smaller(source: Program) -> Mutation | None:
    starts = [source.span(branch.call)[0] for branch in branches(source)]
    if not starts:
        return None
    edits = [Edit(start, start, "0.5 * ") for start in starts]
    return source.mutation("rewrite.branch_scale", branches(source)[0].call, "halves the residual branches", *edits)


def _norms_moved(source: Program) -> Mutation | None:
    """`x = norm(x + f(x))` becomes `x = x + f(norm(x))`, for all branches of a file."""
    edits = []
    places = [branch for branch in branches(source) if branch.norm is not None and _gets_stream(branch)]
    for branch in places:
        assert branch.norm is not None
        start, end = source.span(branch.call)
        low, high = source.span(branch.inner.args[0])
        norm = source.source(branch.norm.func)
        call = f"{source.text[start:low]}{norm}({branch.stream}){source.text[high:end]}"
        edits.append(source.replace(branch.norm, f"{branch.stream} + {call}"))
    if not edits:
        return None
    return source.mutation("rewrite.norm_before", places[0].call, "moves normalisation before the branches", *edits)


def _normed_attention(source: Program) -> Iterator[Mutation | None]:
    """Queries and keys of one length, for the attention of PyTorch."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and full_name(source, node.func) == _ATTENTION and len(node.args) >= 2:
            both = node.args[:2]
            made = reached(source, node, "torch.nn.functional.rms_norm")
            if made is not None and all(isinstance(arg, ast.Name) for arg in both) and "rms_norm(q" not in source.text:
                edits = [
                    source.replace(arg, f"{made[0]}({source.source(arg)}, {source.source(arg)}.shape[-1:])")
                    for arg in both
                ]
                yield source.mutation("rewrite.query_norm", node, "normalises queries and keys", *edits, *made[1])


def _shared(source: Program) -> Iterator[Mutation | None]:
    """One matrix for an embedding and the layer that predicts from it."""
    found = layers(source)
    for table in found:
        for head in found:
            if table.owner == head.owner and _tied(source, table, head) and ".weight = self." not in source.text:
                last = max((table, head), key=lambda layer: layer.statement.lineno)
                tie = f"{head.place}.weight = {table.place}.weight"
                note = f"shares the weights of {table.name} and {head.name}"
                yield source.mutation("rewrite.tie", last.statement, note, below(source, last.statement, [tie]))
                made = reached(source, last.call, "torch.nn.init.normal_")
                if made is not None:
                    lines = [tie, f"{made[0]}({head.place}.weight, std=0.02)"]
                    edit = below(source, last.statement, lines)
                    yield source.mutation("rewrite.tie", last.statement, f"{note}, small at first", edit, *made[1])


def _tied(source: Program, table: Layer, head: Layer) -> bool:
    """Whether the sizes of an embedding are those of a linear layer, the other way round, and not both one number."""
    if (table.kind, head.kind) != ("Embedding", "Linear"):
        return False
    rows, width = argument(table.call, "num_embeddings", 0), argument(table.call, "embedding_dim", 1)
    given, out = argument(head.call, "in_features", 0), argument(head.call, "out_features", 1)
    if rows is None or width is None or given is None or out is None:
        return False
    same = source.source(rows) == source.source(out) and source.source(width) == source.source(given)
    return same and (number(rows) is None or source.source(rows) != source.source(width))
