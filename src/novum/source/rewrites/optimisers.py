"""Optimisers of PyTorch exchanged, and their settings: averaging of moments, weight decay, decay of matrices only.

AdamW: Loshchilov and Hutter, ICLR 2019. NAdam: Dozat, 2016. RAdam: Liu et al., ICLR 2020.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from novum.source.literals import written
from novum.source.program_text import Mutation, Program
from novum.source.rewrites.library_names import argument, keyword, number, plain, reached, scaled, with_keyword
from novum.source.rewrites.training_loops import optimiser_calls, rate_assignments

_ADAMS = ("Adam", "AdamW", "NAdam", "RAdam")
_ADAPTIVE = (*_ADAMS, "RMSprop")
_MOMENTUM = "momentum=0.9, nesterov=True"
_BETAS = ("(0.9, 0.95)", "(0.9, 0.99)", "(0.8, 0.99)")
_DEFAULT_RATE = 0.001
_KNOWN = frozenset(
    {"lr", "betas", "eps", "weight_decay", "momentum", "nesterov", "dampening", "alpha", "centered"}
    | {"fused", "foreach", "amsgrad"}
)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Rewrites at each place where an optimiser is made."""
    if "torch" not in source.text:
        return
    for call, name in optimiser_calls(source):
        if name in (*_ADAPTIVE, "SGD") and plain(call) and 1 <= len(call.args) <= 2:
            yield from _swaps(source, call, name)
            yield from _moments(source, call, name)
            yield from _decays(source, call, name)


def _swaps(source: Program, call: ast.Call, name: str) -> Iterator[Mutation | None]:
    if any(item.arg not in _KNOWN for item in call.keywords):
        return
    fixed = _rate_is_set_elsewhere(source)
    if name == "SGD" and keyword(call, "momentum") is None:
        for factor in (1.0, 0.3):
            yield _swap(source, call, "SGD", _MOMENTUM, factor, "rewrite.torch_momentum")
    for other in ("AdamW", "Adam", "SGD", "NAdam", "RAdam", "RMSprop"):
        if other == name:
            continue
        factors = _factors(call, name, other)
        if fixed and factors != (1.0,):
            continue
        for factor in factors:
            yield _swap(source, call, other, _MOMENTUM if other == "SGD" else "", factor, "rewrite.optimiser")


def _factors(call: ast.Call, name: str, other: str) -> tuple[float, ...]:
    """What the learning rate is multiplied by: adaptive steps need a tenth to a hundredth of the rate of SGD."""
    if name == "SGD":
        return (0.1, 0.03) if keyword(call, "momentum") is not None else (0.03, 0.01)
    return (10.0, 30.0) if other == "SGD" else (1.0,)


def _swap(source: Program, call: ast.Call, other: str, more: str, factor: float, operator: str) -> Mutation | None:
    made = reached(source, call, f"torch.optim.{other}")
    if made is None:
        return None
    name, edits = made
    rate = argument(call, "lr", 1)
    parts = [source.source(call.args[0])]
    parts.append(f"lr={scaled(source, rate, factor) if rate is not None else written(_DEFAULT_RATE * factor)}")
    for kept in ("betas", "eps", "weight_decay"):
        value = keyword(call, kept)
        fits = kept == "weight_decay" or (other in _ADAMS or (kept == "eps" and other in _ADAPTIVE))
        if value is not None and fits:
            parts.append(f"{kept}={source.source(value)}")
    parts += [more] if more else []
    note = f"uses {other}{' with momentum' if more else ''}, the rate times {factor:g}"
    return source.mutation(operator, call, note, source.replace(call, f"{name}({', '.join(parts)})"), *edits)


def _rate_is_set_elsewhere(source: Program) -> bool:
    """Whether the program sets the rate of the groups itself, to values that know nothing of the first rate."""
    if "max_lr" in source.text:
        return True
    return any("initial_lr" not in source.source(node.value) for node in rate_assignments(source))


def _moments(source: Program, call: ast.Call, name: str) -> Iterator[Mutation | None]:
    if name not in _ADAMS:
        return
    there = keyword(call, "betas")
    for betas in _BETAS:
        if there is None or source.source(there).replace(" ", "") != betas.replace(" ", ""):
            edit = with_keyword(source, call, "betas", betas)
            yield source.mutation("rewrite.betas", call, f"sets betas of {name} to {betas}", edit)


def _decays(source: Program, call: ast.Call, name: str) -> Iterator[Mutation | None]:
    """Other weight decay. Where it is decoupled it acts in proportion to the rate, so that it can be larger."""
    there = keyword(call, "weight_decay")
    now = number(there) if there is not None else (0.01 if name == "AdamW" else 0.0)
    for value in (0.0, 0.01, 0.1) if name == "AdamW" else (0.0, 0.0001, 0.001):
        if value != now:
            edit = with_keyword(source, call, "weight_decay", str(value))
            yield source.mutation("rewrite.weight_decay", call, f"sets weight_decay of {name} to {value}", edit)
    groups = _matrices(source, call.args[0])
    if groups is None:
        return
    split = source.replace(call.args[0], groups)
    if now != 0:
        yield source.mutation("rewrite.matrix_decay", call, f"lets {name} decay matrices only", split)
    if name == "AdamW" and now != 0.1:
        edit = with_keyword(source, call, "weight_decay", "0.1")
        yield source.mutation("rewrite.matrix_decay", call, f"lets {name} decay matrices only, by 0.1", split, edit)


def _matrices(source: Program, parameters: ast.expr) -> str | None:
    """Two groups of the parameters of a model: matrices, and all else without weight decay."""
    if not isinstance(parameters, ast.Call) or not isinstance(parameters.func, ast.Attribute):
        return None
    if parameters.func.attr != "parameters" or parameters.args or parameters.keywords:
        return None
    text = source.source(parameters)
    return (
        f'[{{"params": [p for p in {text} if p.dim() >= 2]}}, '
        f'{{"params": [p for p in {text} if p.dim() < 2], "weight_decay": 0.0}}]'
    )
