"""Random search made local: draws are pulled towards the best point so far.

A draw `x = uniform(lo, hi)` becomes `x = best + w * (uniform(lo, hi) - best)` with 0 < w <= 1, which never leaves the
box that the draw came from. The width w is constant (hill climbing), falls with time (as in annealing), or runs through
many scales (compare the localised random search of Solis and Wets, Math. Oper. Res. 6(1), 1981). A compass search
(Hooke and Jeeves, J. ACM 8(2), 1961) finishes what a random search began.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from novum.source.program_text import Mutation, Program, terminal
from novum.source.rewrites.loops import Counter, Loop, counter, fresh, function, nearest
from novum.source.source_text import Edit, apply

_SAMPLERS = frozenset(
    {
        "uniform",
        "random",
        "rand",
        "normal",
        "gauss",
        "normalvariate",
        "randn",
        "standard_normal",
        "triangular",
        "random_sample",
    }
)
_COPIES = frozenset({"copy", "deepcopy", "list", "tuple", "array", "asarray"})


@dataclass(frozen=True, slots=True)
class _Draw:
    """A random expression: where its best value is kept, whether that may be None, whether it is pulled already."""

    node: ast.expr
    best: str
    root: str
    empty: bool
    local: bool

    @property
    def calls(self) -> list[ast.Call]:
        """The calls of samplers in the expression."""
        return [part for part in ast.walk(self.node) if isinstance(part, ast.Call) and terminal(part.func) in _SAMPLERS]

    @property
    def scalar(self) -> bool:
        """Whether the draw is one number for certain: arithmetic on calls without a size."""
        return isinstance(self.node, ast.Call | ast.BinOp) and all(
            len(call.args) <= 2 and not call.keywords and terminal(call.func) != "rand" for call in self.calls
        )

    def pulled(self, source: Program, width: str) -> str:
        """The draw, contracted towards the best point."""
        drawn = source.source(self.node)
        if isinstance(self.node, ast.ListComp):
            text = f"[near + {width} * (far - near) for near, far in zip({self.best}, {drawn})]"
        else:
            text = f"{self.best} + {width} * ({drawn} - {self.best})"
        return f"({drawn} if {self.root} is None else {text})" if self.empty else text

    def polled(self, source: Program, index: int, count: int, poll: str) -> str:
        """The best value, moved along its axis at its turn, by a step that halves with every second round."""
        call, size = self.calls[0], "1.0"
        if len(call.args) == 2 and terminal(call.func) in ("uniform", "triangular"):
            low, high = (source.source(arg) for arg in call.args)
            size = f"0.1 * (({high}) - ({low}))"
        turn = f"({poll} % {2 * count} == {2 * index}) - ({poll} % {2 * count} == {2 * index + 1})"
        return f"{self.best} + {size} * 0.5 ** ({poll} // {4 * count}) * ({turn})"


def rewrites(source: Program) -> Iterator[Mutation | None]:
    """Ways to make each loop that keeps the best of random draws look near the best."""
    for loop in source.nodes:
        if isinstance(loop, ast.For | ast.While) and (draws := _draws(source, loop)):
            count = counter(source, loop)
            if not any(draw.local for draw in draws):
                yield from _in_place(source, loop, draws, count)
            if source.alone(loop) and not loop.orelse:
                yield _second_phase(source, loop, draws, count)
                yield _compass(source, loop, draws)


def _in_place(source: Program, loop: Loop, draws: list[_Draw], count: Counter | None) -> Iterator[Mutation | None]:
    for operator, note, width, needs_count in _widths(count):
        edits = [source.replace(draw.node, draw.pulled(source, width)) for draw in draws]
        if needs_count and count is not None:
            edits += count.edits
        yield source.mutation(operator, loop.body[0], note, *edits)


def _widths(count: Counter | None) -> Iterator[tuple[str, str, str, bool]]:
    """(operator, note, width, whether it needs the counter)."""
    if count is not None:
        name, total = count.name, count.total
        yield "rewrite.anneal", "draws ever nearer to the best point", f"(1 - {name} / {total}) ** 3", True
        yield "rewrite.scales", "draws around the best point at twelve scales", f"0.5 ** ({name} % 12)", True
        width = f"(1.0 if {name} % 5 == 0 else 0.05)"
        yield "rewrite.explore", "draws near the best point, each fifth time anywhere", width, True
    yield "rewrite.climb", "draws near the best point", "0.1", False


def _second_phase(source: Program, loop: Loop, draws: list[_Draw], count: Counter | None) -> Mutation | None:
    """The loop once more, near the best point."""
    width = f"0.5 ** (2 + {count.name} % 12)" if count else "0.02"
    edits = [source.replace(draw.node, draw.pulled(source, width)) for draw in draws]
    edits += count.edits if count else ()
    again = _copy(source, source.lines(loop), edits)
    return source.mutation("rewrite.refine", loop, "adds a second loop near the best point", source.below(loop, again))


def _compass(source: Program, loop: Loop, draws: list[_Draw]) -> Mutation | None:
    """After the loop: polls along the axes with steps that halve, judged by the statements of the loop's own body."""
    first, last = loop.body[0], loop.body[-1]
    if not all(draw.scalar for draw in draws) or not (source.alone(first) and source.alone(last)):
        return None
    poll = fresh(source, "poll")
    edits = [source.replace(draw.node, draw.polled(source, i, len(draws), poll)) for i, draw in enumerate(draws)]
    body = _copy(source, (source.lines(first)[0], source.lines(last)[1]), edits)
    names = [loop.target.id] if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) else []
    heads = [f"{source.indent(loop)}for {poll} in range({100 * len(draws)}):\n"]
    heads += [f"{source.indent(first)}{name} = {poll}\n" for name in names if not name.startswith("_")]
    text = "".join(heads) + body
    return source.mutation(
        "rewrite.compass", loop, "adds a compass search from the best point", source.below(loop, text)
    )


def _copy(source: Program, span: tuple[int, int], edits: list[Edit]) -> str:
    """The text of whole lines with edits applied, ended by a line end."""
    start, end = span
    text = apply(source.text[start:end], [Edit(edit.start - start, edit.end - start, edit.new) for edit in edits])
    return text if text.endswith("\n") else text + "\n"


def _draws(source: Program, loop: Loop) -> list[_Draw]:
    """The random draws of a loop whose best value is kept, with where it is kept."""
    inside = [node for node in ast.walk(loop) if isinstance(node, ast.Assign) and nearest(source, node) is loop]
    kept: dict[str, tuple[str, str]] = {}
    for node in inside:
        if isinstance(source.parents[node], ast.If):
            for target, value in _pairs(node):
                kept |= _keeps(source, target, value)
    draws: list[_Draw] = []
    for node in inside:
        for target, value in _pairs(node):
            if isinstance(target, ast.Name) and target.id in kept and _is_random(value):
                draws += _split(source, loop, value, *kept[target.id])
    return draws


def _split(source: Program, loop: Loop, value: ast.expr, best: str, root: str) -> list[_Draw]:
    """A draw, or one for each element of a tuple or list; none when the best is not set before, or pulls twice."""
    start = _initial(source, loop, root)
    used = source.source(value).count(root)
    if start is None or used > 2:
        return []
    empty = isinstance(start, ast.Constant) and start.value is None
    if isinstance(value, ast.Tuple | ast.List):
        return [
            _Draw(item, f"{best}[{i}]", root, empty, used > 1) for i, item in enumerate(value.elts) if _is_random(item)
        ]
    return [_Draw(value, best, root, empty, used > 1)]


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """What is assigned to what; `a, b = x, y` is two pairs."""
    target = node.targets[0]
    both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
    if both and len(_elements(target)) == len(_elements(node.value)):
        return list(zip(_elements(target), _elements(node.value), strict=True))
    return [(target, node.value)]


def _keeps(source: Program, target: ast.expr, value: ast.expr) -> dict[str, tuple[str, str]]:
    """Variables whose value is kept in `target`: name -> (expression of the kept value, variable that holds it)."""
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        return {}
    place = source.source(target)
    if isinstance(value, ast.Tuple | ast.List):
        return {item.id: (f"{place}[{i}]", place) for i, item in enumerate(value.elts) if isinstance(item, ast.Name)}
    if isinstance(value, ast.Call) and terminal(value.func) in _COPIES:
        value = value.args[0] if value.args else value.func
        value = value.value if isinstance(value, ast.Attribute) else value
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
        value = value.value
    return {value.id: (place, place)} if isinstance(value, ast.Name) and value.id != place else {}


def _is_random(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call) and terminal(part.func) in _SAMPLERS for part in ast.walk(node))


def _initial(source: Program, loop: Loop, root: str) -> ast.expr | None:
    """The value that a variable has before the loop, as written, or None when nothing sets it there."""
    home = function(source, loop)
    found: ast.expr | None = None
    for node in ast.walk(home):
        if isinstance(node, ast.Assign) and node.lineno < loop.lineno and function(source, node) is home:
            for target, value in _pairs(node):
                if root in [source.source(target), *(source.source(part) for part in _elements(target))]:
                    found = value
    return found


def _elements(target: ast.expr) -> list[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else []
