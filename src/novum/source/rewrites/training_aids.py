"""What is added around a training step of PyTorch: clipping of gradients, smoothing of labels, averages of weights.

Clipping: Pascanu, Mikolov and Bengio, ICML 2013. Smoothing: Szegedy et al., CVPR 2016. Averages: Izmailov et al.,
UAI 2018.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from novum.source.program_text import Mutation, Program
from novum.source.rewrites.library_names import full_name, keyword, local_name, plain, reached, with_keyword
from novum.source.rewrites.loops import fresh, function
from novum.source.rewrites.training_loops import TrainingStep, above, below, progress, training_steps
from novum.source.source_text import Edit

_FUNCTION = "torch.nn.functional.cross_entropy"
_CLASS = "torch.nn.CrossEntropyLoss"
_SMOOTHING = ("0.05", "0.1")


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """What can be added at each training step."""
    for step in training_steps(source):
        if source.alone(step.step):
            yield from _clipping(source, step)
            yield from _averages(source, step)
        yield from _smoothing(source, step)
    if ".eval()" in source.text:
        yield from _smoothing_in_modules(source)


def _parameters(step: TrainingStep, one: str, group: str) -> str:
    return f'[{one} for {group} in {step.optimiser}.param_groups for {one} in {group}["params"]]'


def _clipping(source: Program, step: TrainingStep) -> Iterator[Mutation | None]:
    if "clip_grad" in source.text or "grad.clamp" in source.text:
        return
    made = reached(source, step.step, "torch.nn.utils.clip_grad_norm_")
    for bound in ("1.0", "0.5") if made else ():
        assert made is not None
        call = f"{made[0]}({_parameters(step, 'p', 'group')}, {bound})"
        note = f"clips gradients to norm {bound}"
        yield source.mutation("rewrite.clip", step.step, note, above(source, step.step, [call]), *made[1])


def _averages(source: Program, step: TrainingStep) -> Iterator[Mutation | None]:
    """The mean of the weights in the last part of the run, put in their place after the loop."""
    if not step.loops or "BatchNorm" in source.text or "lerp_(" in source.text or "swa_utils" in source.text:
        return
    loop, found = step.loops[-1], progress(source, step)
    made = reached(source, step.step, "torch.no_grad")
    if found is None or found.place is not step.step or made is None or not source.alone(loop):
        return
    block = source.body(loop)
    if block.index(loop) == len(block) - 1:
        return
    kept, count, one = (fresh(source, wish) for wish in ("averages", "averaged", "kept"))
    pairs = f"for {one}, p in zip({kept}, {_parameters(step, 'p', 'group')}):"
    begin = above(
        source, loop, [f"{kept}, {count} = [p.detach().clone() for p in {_parameters(step, 'p', 'group')}], 0"]
    )
    end = below(source, loop, [f"with {made[0]}():", f"    {pairs}", f"        p.copy_({one} if {count} else p)"])
    for part in ("0.5", "0.75"):
        inside = below(
            source,
            step.step,
            [
                f"if {found.fraction} >= {part}:",
                f"    {count} += 1",
                f"    {pairs}",
                f"        {one}.lerp_(p.detach(), 1 / {count})",
            ],
        )
        note = f"averages the weights from {part} of the run on"
        yield source.mutation("rewrite.average", step.step, note, begin, inside, end, *made[1], *found.edits)


def _smoothing(source: Program, step: TrainingStep) -> Iterator[Mutation | None]:
    """Smoothed labels for the loss whose gradient is taken, never for one that is only reported."""
    call = _loss_call(source, step)
    if call is None or not plain(call) or keyword(call, "label_smoothing") is not None:
        return
    if full_name(source, call.func) == _FUNCTION:
        for value in _SMOOTHING:
            edit = with_keyword(source, call, "label_smoothing", value)
            yield source.mutation("rewrite.label_smoothing", call, f"smooths labels by {value}", edit)
    elif isinstance(call.func, ast.Name) and len(call.args) == 2 and (maker := _criterion(source, call.func.id)):
        made = reached(source, call, _FUNCTION)
        if made is None or maker.args or maker.keywords:
            return
        given = ", ".join(source.source(arg) for arg in call.args)
        for value in _SMOOTHING:
            edit = source.replace(call, f"{made[0]}({given}, label_smoothing={value})")
            note = f"smooths labels of training by {value}"
            yield source.mutation("rewrite.label_smoothing", call, note, edit, *made[1])


def _loss_call(source: Program, step: TrainingStep) -> ast.Call | None:
    """The call whose value is the loss: of `loss.backward()`, the last assignment to `loss` before it."""
    loss = step.loss
    if isinstance(loss, ast.Call):
        return loss
    home = function(source, step.step)
    values = [
        node
        for node in source.nodes
        if isinstance(node, ast.Assign)
        and source.source(node.targets[0]) == source.source(loss)
        and node.lineno <= step.backward.lineno
        and function(source, node) is home
        and source.body(node) is source.body(step.backward)  # else one function may train and evaluate
    ]
    value = max(values, key=lambda node: node.lineno).value if values else None
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div | ast.Mult):
        value = value.left
    return value if isinstance(value, ast.Call) else None


def _criterion(source: Program, name: str) -> ast.Call | None:
    """The call of `CrossEntropyLoss` that a variable holds."""
    values = [
        node.value
        for node in source.nodes
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    made = values[0] if len(values) == 1 else None
    return made if isinstance(made, ast.Call) and full_name(source, made.func) == _CLASS else None


def _smoothing_in_modules(source: Program) -> Iterator[Mutation | None]:
    """Smoothed labels for a loss that a module computes itself, while it is in its training mode."""
    if local_name(source, _FUNCTION) is None:
        return
    for node in source.nodes:
        if not isinstance(node, ast.Call) or full_name(source, node.func) != _FUNCTION:
            continue
        home = function(source, node)
        if not isinstance(home, ast.FunctionDef) or home.name != "forward" or not plain(node):
            continue
        if keyword(node, "label_smoothing") is None and home.args.args and home.args.args[0].arg == "self":
            for value in _SMOOTHING:
                edit: Edit = with_keyword(source, node, "label_smoothing", f"{value} if self.training else 0.0")
                yield source.mutation("rewrite.label_smoothing", node, f"smooths labels of training by {value}", edit)
