"""Training in a program: where the gradient and the step are taken, in which loops, and how far a run has come."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from novum.source.program_text import Program, terminal
from novum.source.rewrites.library_names import bracketed, calls, number
from novum.source.rewrites.loops import Loop, fresh, function
from novum.source.source_text import Edit

_CLOCK = frozenset({"time", "perf_counter", "monotonic", "process_time"})
_SIZED = frozenset({"DataLoader", "list", "split", "chunk", "array_split", "sorted"})
_BARS = frozenset({"tqdm", "track"})


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One step of an optimiser; `loops` are those around it since the optimiser was made, the inner ones first."""

    backward: ast.Expr
    step: ast.Expr
    optimiser: str
    loops: tuple[Loop, ...]

    @property
    def loss(self) -> ast.expr:
        """What the gradient is taken of."""
        call = self.backward.value
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        return call.func.value


@dataclass(frozen=True, slots=True)
class Index:
    """How far a loop has come: an expression that rises from 0 to below `total`; `edits` make it readable."""

    at: str
    total: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """The part of a run that is done, from 0 to 1, as an expression that holds above the statement `place`."""

    fraction: str
    place: ast.stmt
    optimiser: str
    fine: bool
    edits: tuple[Edit, ...] = ()


def optimiser_calls(source: Program) -> list[tuple[ast.Call, str]]:
    """The calls that make an optimiser of `torch.optim`."""
    return [(call, name) for call, name in calls(source, "torch.optim") if name[:1].isupper()]


def assigned_to(source: Program, node: ast.expr) -> str:
    """The variable that an expression is the whole value of, or ""."""
    parent = source.parents[node]
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        target = parent.targets[0]
        return source.source(target) if isinstance(target, ast.Name | ast.Attribute) else ""
    return ""


def rate_assignments(source: Program) -> list[ast.Assign | ast.AugAssign]:
    """Statements that set the learning rate of a group of parameters: `group["lr"] = ...`."""
    found: list[ast.Assign | ast.AugAssign] = []
    for node in source.nodes:
        if isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            key = target.slice if isinstance(target, ast.Subscript) else None
            if isinstance(key, ast.Constant) and key.value == "lr":
                found.append(node)
    return found


@lru_cache(maxsize=64)
def training_steps(source: Program) -> tuple[TrainingStep, ...]:
    """The steps of optimisers of PyTorch, each with the gradient that it follows."""
    if ".backward(" not in source.text:
        return ()
    makers = {assigned_to(source, call) for call, _ in optimiser_calls(source)}
    gradients = [node for node in source.nodes if _method(node, "backward")]
    found = []
    for node in source.nodes:
        if not isinstance(node, ast.Expr) or not _method(node, "step"):
            continue
        assert isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
        name = source.source(node.value.func.value)
        if name not in makers and f"{name}.zero_grad(" not in source.text:
            continue
        home = function(source, node)
        before = [
            one
            for one in gradients
            if isinstance(one, ast.Expr) and one.lineno < node.lineno and function(source, one) is home
        ]
        if before:
            loops = tuple(loop for loop in _loops(source, node) if not _made_in(source, name, loop))
            found.append(TrainingStep(max(before, key=lambda one: one.lineno), node, name, loops))
    return tuple(found)


def _method(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == name
    )


def _loops(source: Program, node: ast.AST) -> list[Loop]:
    """The loops around a node in its function, the inner ones first."""
    found: list[Loop] = []
    home = function(source, node)
    up = source.above(node, (ast.For, ast.While))
    while isinstance(up, ast.For | ast.While) and function(source, up) is home:
        found.append(up)
        up = source.above(up, (ast.For, ast.While))
    return found


def _made_in(source: Program, name: str, loop: Loop) -> bool:
    """Whether a loop sets a variable anew in each round."""
    return any(
        isinstance(part, ast.Assign) and any(source.source(to) == name for to in part.targets if _named(to))
        for part in ast.walk(loop)
    )


def _named(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def above(source: Program, node: ast.stmt, lines: Sequence[str]) -> Edit:
    """Insert lines above a statement that stands alone."""
    start, pad = source.lines(node)[0], source.indent(node)
    return Edit(start, start, "".join(f"{pad}{line}\n" for line in lines))


def below(source: Program, node: ast.stmt, lines: Sequence[str]) -> Edit:
    """Insert lines below a statement that stands alone."""
    pad = source.indent(node)
    return source.below(node, "".join(f"{pad}{line}\n" for line in lines))


def progress(source: Program, step: TrainingStep) -> Progress | None:
    """How far training has come at a step, or, where its loops stand in a caller, at the top of the caller's loop."""
    indices = [index(source, loop) for loop in step.loops]
    if not indices or _is_one_epoch(source, step):
        return _at_call(source, step)
    if len(indices) > 2 or indices[-1] is None:
        return None
    inner, outer = indices[0], indices[-1]
    if len(indices) == 1:
        return Progress(f"{outer.at} / {outer.total}", step.step, step.optimiser, True, outer.edits)
    if inner is None:
        return Progress(f"{outer.at} / {outer.total}", step.step, step.optimiser, False, outer.edits)
    if inner.edits and outer.edits and inner.edits[0].new == outer.edits[0].new:
        return None
    fraction = f"({outer.at} + {inner.at} / {inner.total}) / {outer.total}"
    return Progress(fraction, step.step, step.optimiser, True, (*inner.edits, *outer.edits))


def _calls_of(source: Program, home: ast.AST) -> list[ast.Call]:
    name = home.name if isinstance(home, ast.FunctionDef) else None
    return [node for node in source.nodes if isinstance(node, ast.Call) and name and terminal(node.func) == name]


def _is_one_epoch(source: Program, step: TrainingStep) -> bool:
    """Whether the loops of a step are but a part of the run: called in a loop, or one pass that a caller may repeat."""
    home = function(source, step.step)
    found = _calls_of(source, home)
    once = isinstance(step.loops[-1], ast.For) and not _over_range(step.loops[-1])
    return any(_loops(source, call) for call in found) or (isinstance(home, ast.FunctionDef) and not found and once)


def _over_range(loop: Loop) -> bool:
    call = loop.iter if isinstance(loop, ast.For) else None
    if isinstance(call, ast.Call) and terminal(call.func) in _BARS and call.args:
        call = call.args[0]
    return isinstance(call, ast.Call) and terminal(call.func) in ("range", "trange")


def _at_call(source: Program, step: TrainingStep) -> Progress | None:
    """Progress in the loop that calls the function with the step, when there is one such call."""
    found = _calls_of(source, function(source, step.step))
    if len(found) != 1:
        return None
    makers = {assigned_to(source, call) for call, _ in optimiser_calls(source)}
    given = [*found[0].args, *(item.value for item in found[0].keywords)]
    names = [name for arg in given if (name := source.source(arg)) in makers]
    name = names[0] if names else step.optimiser
    loops = [loop for loop in _loops(source, found[0]) if not _made_in(source, name, loop)]
    count = index(source, loops[0]) if len(loops) == 1 else None
    if name not in makers or count is None:
        return None
    fraction = f"{count.at} / {count.total}"
    return Progress(fraction, loops[0].body[0], name, not step.loops, count.edits)


def index(source: Program, loop: Loop) -> Index | None:
    """The index of a loop whose number of rounds can be known before it ends."""
    if isinstance(loop, ast.While):
        return _while(source, loop)
    call = loop.iter
    if isinstance(call, ast.Call) and terminal(call.func) in _BARS and len(call.args) == 1:
        call = call.args[0]
    if isinstance(call, ast.Call) and terminal(call.func) in ("range", "trange") and isinstance(loop.target, ast.Name):
        return _range(source, loop.target, call)
    if isinstance(call, ast.Call) and terminal(call.func) == "enumerate":
        return _enumerated(source, loop.target, call)
    if not _sized(source, call):
        return None
    name, target, text = fresh(source, "batch_index"), source.source(loop.target), source.source(call)
    target = f"({target})" if isinstance(loop.target, ast.Tuple) else target
    edits = (source.replace(loop.target, f"{name}, {target}"), source.replace(call, f"enumerate({text})"))
    return Index(name, f"len({text})", edits)


def _range(source: Program, target: ast.Name, call: ast.Call) -> Index | None:
    """The index in a range; of one with a stride, in units of what is counted."""
    if not 1 <= len(call.args) <= 3 or (terminal(call.func) == "range" and call.keywords):
        return None
    name = target.id
    edits: tuple[Edit, ...] = ()
    if name.startswith("_"):
        name = fresh(source, "step")
        edits = (source.replace(target, name),)
    stop = call.args[min(len(call.args), 2) - 1]
    start = call.args[0] if len(call.args) > 1 else None
    if start is None or number(start) == 0:
        return Index(name, bracketed(source, stop), edits)
    low = bracketed(source, start)
    one_more = isinstance(stop, ast.BinOp) and isinstance(stop.op, ast.Add) and number(stop.right) == 1
    if one_more and number(start) == 1 and isinstance(stop, ast.BinOp):
        return Index(f"({name} - 1)", bracketed(source, stop.left), edits)
    return Index(f"({name} - {low})", f"({source.source(stop)} - {low})", edits)


def _enumerated(source: Program, target: ast.expr, call: ast.Call) -> Index | None:
    inner = call.args[0] if call.args else None
    if isinstance(inner, ast.Call) and terminal(inner.func) in _BARS and inner.args:
        inner = inner.args[0]
    if inner is None or not isinstance(target, ast.Tuple) or not isinstance(target.elts[0], ast.Name):
        return None
    if len(call.args) > 1 or call.keywords or not _sized(source, inner):
        return None
    name = target.elts[0].id
    if not name.startswith("_"):
        return Index(name, f"len({source.source(inner)})")
    new = fresh(source, "batch_index")
    return Index(new, f"len({source.source(inner)})", (source.replace(target.elts[0], new),))


def _sized(source: Program, node: ast.expr) -> bool:
    """Whether an expression certainly has a length, and reading it twice changes nothing."""
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        return terminal(node.func) in ("split", "chunk") and isinstance(owner, ast.Name)
    if not isinstance(node, ast.Name):
        return False
    if "loader" in node.id.lower():
        return True
    values = [
        one.value
        for one in source.nodes
        if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id == node.id for to in one.targets)
    ]
    return bool(values) and all(
        isinstance(value, ast.List | ast.ListComp | ast.Tuple)
        or (isinstance(value, ast.Call) and terminal(value.func) in _SIZED)
        for value in values
    )


def _while(source: Program, loop: ast.While) -> Index | None:
    """The index of `while step < total` or of `while True` with a break at `step >= total`."""
    test: ast.expr | None = loop.test
    upwards: tuple[type, ...] = (ast.Lt, ast.LtE)
    if isinstance(test, ast.Constant):
        ends = [item.test for item in loop.body if isinstance(item, ast.If) and isinstance(item.body[-1], ast.Break)]
        test = ends[0] if len(ends) == 1 else None
        upwards = (ast.Gt, ast.GtE)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], upwards):
        return None
    left, total = test.left, bracketed(source, test.comparators[0])
    clock = any(isinstance(part, ast.Call) and terminal(part.func) in _CLOCK for part in ast.walk(left))
    if not clock and not (isinstance(left, ast.Name) and _counted(loop, left.id)):
        return None
    return Index(f"min({source.source(left)}, {total})", total)


def _counted(loop: ast.While, name: str) -> bool:
    """Whether a loop counts a variable up."""
    return any(
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Add)
        and isinstance(node.target, ast.Name)
        and node.target.id == name
        for node in ast.walk(loop)
    )
