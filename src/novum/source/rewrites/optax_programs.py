"""Rewrites of JAX programs that train with optax: another optimiser, a schedule, clipping.

Lion: Chen et al., NeurIPS 2023. The library is named in texts only; nothing here imports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from novum.source.literals import written
from novum.source.program_text import Mutation, Program, terminal
from novum.source.rewrites.library_names import (
    argument,
    bracketed,
    calls,
    keyword,
    local_name,
    plain,
    scaled,
    with_keyword,
)
from novum.source.rewrites.loops import counter, function
from novum.source.rewrites.training_loops import index

_RATES = {"adam": 1.0, "adamw": 1.0, "nadam": 1.0, "rmsprop": 1.0, "lion": 0.2, "sgd": 20.0}
_MORE = {"sgd": "momentum=0.9, nesterov=True", "adamw": "weight_decay=0.01"}
_FALLING = (
    ("warmup_cosine_decay_schedule", "warms up, then lets the rate fall as a cosine"),
    ("cosine_decay_schedule", "lets the rate fall as a cosine"),
    ("linear_schedule", "lets the rate fall linearly"),
)


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Rewrites at each place where an optimiser of optax is made."""
    if "optax" not in source.text:
        return
    for call, name in calls(source, "optax"):
        if name in _RATES and plain(call) and (rate := argument(call, "learning_rate", 0)) is not None:
            yield from _swaps(source, call, name, rate)
            yield from _schedules(source, call, name, rate)
            yield from _clipping(source, call, name)
            yield from _moments(source, call, name)


def _swaps(source: Program, call: ast.Call, name: str, rate: ast.expr) -> Iterator[Mutation | None]:
    simple = isinstance(rate, ast.Constant | ast.Name | ast.Attribute | ast.BinOp) and "schedule" not in source.text
    if name == "sgd" and keyword(call, "momentum") is None:
        yield _swap(source, call, "sgd", source.source(rate))
    for other, size in _RATES.items():
        factor = size / _RATES[name]
        if other != name and (simple or factor == 1):
            yield _swap(source, call, other, scaled(source, rate, factor) if simple else source.source(rate))


def _swap(source: Program, call: ast.Call, other: str, rate: str) -> Mutation | None:
    made = local_name(source, f"optax.{other}")
    more = f", {_MORE[other]}" if other in _MORE else ""
    edit = source.replace(call, f"{made}({rate}{more})")
    return source.mutation("rewrite.optimiser", call, f"uses {other}", edit) if made else None


def _schedules(source: Program, call: ast.Call, name: str, rate: ast.expr) -> Iterator[Mutation | None]:
    total = _total(source, call)
    if total is None or "schedule" in source.text:
        return
    peak = source.source(rate)
    warm = f"max(1, {total} // 20)"
    given = {
        "warmup_cosine_decay_schedule": f"0.0, {peak}, {warm}, {total}",
        "cosine_decay_schedule": f"{peak}, {total}",
        "linear_schedule": f"{peak}, 0.0, {total}",
    }
    for schedule, note in _FALLING:
        if (made := local_name(source, f"optax.{schedule}")) is not None:
            edit = source.replace(rate, f"{made}({given[schedule]})")
            yield source.mutation("rewrite.schedule", call, f"{note} for {name}", edit)


def _total(source: Program, call: ast.Call) -> str | None:
    """The number of steps of the one loop over a range around the updates, where it is known at `call`."""
    if "apply_updates" not in source.text:
        return None
    updates = {
        home.name
        for node in source.nodes
        if isinstance(node, ast.Call)
        and terminal(node.func) == "apply_updates"
        and isinstance(home := function(source, node), ast.FunctionDef)
    }
    found = []
    for node in source.nodes:
        if not isinstance(node, ast.For):
            continue
        inside = {terminal(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        if inside & {*updates, "apply_updates"}:
            found.append(node)
    if len(found) != 1 or index(source, found[0]) is None or counter(source, found[0]) is None:
        return None
    stop = found[0].iter
    stop = stop.args[0] if isinstance(stop, ast.Call) else stop
    return bracketed(source, stop) if _known(source, stop, call) else None


def _known(source: Program, total: ast.expr, call: ast.Call) -> bool:
    """Whether all names of an expression are set above a call, at the top of the file or in its function."""
    names = {node.id for node in ast.walk(total) if isinstance(node, ast.Name)}
    home = function(source, call)
    given = {arg.arg for arg in ast.walk(home) if isinstance(arg, ast.arg)} if home is not source.tree else set()
    for node in source.nodes:
        stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.lineno < call.lineno
        if isinstance(node, ast.Name) and stored and function(source, node) in (home, source.tree):
            given.add(node.id)
    return names <= given


def _clipping(source: Program, call: ast.Call, name: str) -> Iterator[Mutation | None]:
    chain, clip = local_name(source, "optax.chain"), local_name(source, "optax.clip_by_global_norm")
    if chain is None or clip is None or "optax.clip" in source.text or "clip_by" in source.text:
        return
    for bound in (1.0, 0.5):
        edit = source.replace(call, f"{chain}({clip}({written(bound)}), {source.source(call)})")
        yield source.mutation("rewrite.clip", call, f"clips gradients to norm {bound} before {name}", edit)


def _moments(source: Program, call: ast.Call, name: str) -> Iterator[Mutation | None]:
    if name in ("adam", "adamw", "nadam") and keyword(call, "b2") is None and len(call.args) == 1:
        for value in ("0.95", "0.99"):
            edit = with_keyword(source, call, "b2", value)
            yield source.mutation("rewrite.betas", call, f"sets b2 of {name} to {value}", edit)
