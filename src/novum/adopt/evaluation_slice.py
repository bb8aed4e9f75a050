"""What a script's metric is made of: a backward slice from where it is printed (Weiser, ICSE 1981), by names.

The statements that assign those names, and the functions that compute them, are evaluation: no candidate may change
them, or it would be its own judge. What is trained ends the slice: a model, an optimiser, whatever has `fit`, `step`,
`train` or `parameters` called on it is what research is about.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from novum.adopt.written_values import Written, written_values
from novum.core.model.errors import StudyError
from novum.source.meaning import is_python, parsed
from novum.source.program_text import terminal
from novum.source.protected import assigned

_EVALUATES = re.compile(
    r"^_?(?:eval|evaluate|evaluation|validate|validation|estimate_loss|test|score|accuracy|compute_(?:metric|acc|score)|"
    r"perplexity|bits_per|bpb|metric)s?(?:_|$)|_(?:eval|accuracy|score|metrics?)$", re.IGNORECASE
)  # fmt: skip
_SHOWS = re.compile(r"^_?(?:sample|generate|plot|draw|log|save|load_data|report|show|print|visuali[sz]e)(?:_|$)")
_TRAINING_CALLS = frozenset(
    {"fit", "train", "step", "backward", "parameters", "state_dict", "zero_grad", "apply_gradients", "init",
     "update", "partial_fit", "named_parameters"}
)  # fmt: skip
_TRAINS = re.compile(r"train|fit|step|optimi[sz]e|update|backward|forward", re.IGNORECASE)
_PRINTS = frozenset(
    {"print", "write", "info", "log", "log_metric", "dump", "dumps", "writerow", "append",
     "log_metrics", "add_scalar"})  # fmt: skip
_ARGUMENTS = frozenset({"parse_args", "ArgumentParser", "parse_known_args"})
_LOSSES = re.compile(r"cross_entropy|_loss$|Loss$|^criterion$|^loss(?:_fn|_function)?$|^mse$|^nll")
_NEVER = frozenset({"__init__", "forward", "__call__", "main"})
_WORD = re.compile(r"[a-z0-9]+")


@dataclass
class Evaluation:
    """What is evaluation: functions and names by "file: name", and plain names of parameters that it depends on."""

    functions: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)


def find_evaluation(files: Mapping[str, str], label: str, written: bool = False) -> Evaluation:
    """The evaluation behind a metric that is printed with `label` ("val loss"), over all Python files of a project.

    written: it is not printed but written to a file, where `label` is its key or column.
    """
    found = Evaluation()
    trees = {}
    for path, text in files.items():
        if is_python(path):
            try:
                trees[path] = parsed(text, path)
            except StudyError:
                continue
    trained = {name for tree in trees.values() for name in _trained(tree)}
    classes = {one.name for tree in trees.values() for one in ast.walk(tree) if isinstance(one, ast.ClassDef)}
    functions = {path: dict(_functions(tree.body, "")) for path, tree in trees.items()}
    for path, tree in trees.items():
        slice_ = _Slice(tree, trained | classes, functions, label)
        made = written_values(slice_.simple, label) if written else Written()
        slice_.run(made.values)
        slice_.names |= made.names
        found.functions += [f"{path}: {name}" for name in slice_.own_functions(path)]
        found.names += [f"{path}: {name}" for name in slice_.own_names()]
        found.names += [f"{path}: {name}" for name in _own_losses(tree)]
        found.uses |= {name for _, name in slice_.names} | slice_.attributes
        for other, name in slice_.called_elsewhere(path):
            found.functions.append(f"{other}: {name}")
    found.functions = list(dict.fromkeys(found.functions))
    found.names = list(dict.fromkeys(found.names))
    return found


def _own_losses(tree: ast.Module) -> Iterator[str]:
    """Losses that a model computes in its own `forward`, which evaluation calls as well as training."""
    for scope, node in _simple(tree.body, ""):
        value = getattr(node, "value", None)
        if value is not None and scope.rpartition(".")[2] in ("forward", "__call__"):
            calls = (one for one in ast.walk(value) if isinstance(one, ast.Call))
            if any(_LOSSES.search(terminal(one.func)) for one in calls):
                yield from (f"{scope}.{name}" for name in sorted(assigned(node)))


def _trained(tree: ast.Module) -> Iterator[str]:
    """Names on which something is called that trains, and what holds arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TRAINING_CALLS:
            owner = node.func.value
            while isinstance(owner, ast.Attribute | ast.Subscript):
                owner = owner.value
            if isinstance(owner, ast.Name) and not isinstance(node.func.value, ast.Attribute):
                yield owner.id
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and terminal(node.value.func) in _ARGUMENTS
        ):
            yield from assigned(node)
        yield from _moved(node)
    yield from ("model", "net", "network", "optimizer", "opt", "args", "config", "cfg", "self", "params", "clf")


def _moved(node: ast.AST) -> Iterator[str]:
    """Names that a step moves: `w -= rate * gradient`, `params = update(params, gradients)`; no sums and no bests.

    Also lists that are made anew from themselves by arithmetic: `w = [x - rate * g for x, g in zip(w, gradient)]`.
    """
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
        yield from assigned(node)
    elif isinstance(node, ast.Assign):
        own = assigned(node) & {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
        value = node.value
        stepped = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub)
        if isinstance(value, ast.ListComp | ast.DictComp):
            element = value.elt if isinstance(value, ast.ListComp) else value.value
            stepped = any(isinstance(one, ast.BinOp) for one in ast.walk(element))
        if own and (stepped or (isinstance(value, ast.Call) and not hasattr(builtins, terminal(value.func)))):
            yield from assigned(node)


def _functions(body: Sequence[ast.stmt], scope: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions and methods by their qualified names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{scope}{node.name}", node
            yield from _functions(node.body, f"{scope}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{scope}{node.name}.")
        elif isinstance(node, ast.If | ast.With | ast.Try):
            yield from _functions(node.body, scope)


Name = tuple[str, str]
"""The function that a name is local to ("" for the module), and the name."""


class _Slice:
    """The slice of one file."""

    def __init__(
        self, tree: ast.Module, stops: set[str], functions: Mapping[str, Mapping[str, ast.AST]], label: str
    ) -> None:
        self.tree, self.stops, self.functions = tree, stops, functions
        self.words = set(_WORD.findall(label.lower()))
        self.names: set[Name] = set()
        self.attributes: set[str] = set()
        self.calls: set[str] = set()
        self.simple = list(_simple(tree.body, ""))
        self.given: dict[str, set[str]] = {}
        for scope, node in self.simple:
            self.given.setdefault(scope, set()).update(assigned(node))
        self.every = {name for known in functions.values() for name in known}

    def run(self, written: Sequence[tuple[str, ast.expr]] = ()) -> None:
        """Go back from what is printed, or written to a file, until nothing new is found."""
        for scope, value in [*self._printed(), *written]:
            self._take(value, scope)
        for name in self.every:
            last = name.rpartition(".")[2]
            if _EVALUATES.search(last) or _SHOWS.search(last):
                self.calls.add(last)
        before = -1
        read: set[int] = set()
        while before != len(self.names) + len(self.calls):
            before = len(self.names) + len(self.calls)
            for scope, node in self.simple:
                made = {(scope, name) for name in assigned(node)}
                if id(node) not in read and not self.names.isdisjoint(made):
                    read.add(id(node))
                    given: ast.expr | None = getattr(node, "value", None)
                    if given is not None:
                        self._take(given, scope)
            for known in self.functions.values():
                for name, function in known.items():
                    if self._is_called(name) and id(function) not in read:
                        read.add(id(function))
                        self._take_function(function)

    def own_names(self) -> list[str]:
        """The names of this file that the metric is made of, and that a statement outside evaluation gives a value."""
        inside = {name for known in self.functions.values() for name in known if self._is_called(name)}
        return sorted(
            f"{scope}.{name}" if scope else name
            for scope, name in self.names
            if name in self.given.get(scope, ()) and scope not in inside
        )

    def own_functions(self, path: str) -> list[str]:
        """The functions of this file that are evaluation."""
        return [name for name in self.functions.get(path, {}) if self._is_called(name)]

    def called_elsewhere(self, path: str) -> list[tuple[str, str]]:
        """The functions of other files that are."""
        return [
            (other, name)
            for other, known in self.functions.items()
            if other != path
            for name in known
            if self._is_called(name)
        ]

    def _is_called(self, name: str) -> bool:
        last = name.rpartition(".")[2]
        return last in self.calls and last not in _NEVER

    def _take(self, node: ast.AST, scope: str) -> None:
        """Add what an expression is made of."""
        self._take_calls(node)
        for one in ast.walk(node):
            if isinstance(one, ast.Name):
                self._add(one.id, scope)

    def _take_function(self, node: ast.AST) -> None:
        """Add what a function takes from outside itself."""
        self._take_calls(node)
        local = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
        local |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and one.id not in local:
                self._add(one.id, "")

    def _take_calls(self, node: ast.AST) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Call):
                name = terminal(one.func)
                if not _TRAINS.search(name) and name not in self.stops:
                    self.calls.add(name)
            elif isinstance(one, ast.Attribute):
                self.attributes.add(one.attr)

    def _add(self, name: str, scope: str) -> None:
        if name in self.stops or hasattr(builtins, name):
            return
        self.names.add((scope if name in self.given.get(scope, ()) else "", name))

    def _printed(self) -> Iterator[tuple[str, ast.expr]]:
        """The values that stand behind the label where it is printed, with the function that prints them."""
        for scope, node in self.simple:
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and terminal(call.func) in _PRINTS:
                    for value in self._labelled(call):
                        yield scope, value

    def _labelled(self, call: ast.Call) -> Iterator[ast.expr]:
        for number, argument in enumerate(call.args):
            match argument:
                case ast.JoinedStr():
                    yield from self._formatted(argument)
                case ast.BinOp(left=ast.Constant(value=str(text)), right=right) if self._fits(text):
                    yield right
                case ast.Call(func=ast.Attribute(value=owner), args=given) if self._fits(ast.unparse(owner)):
                    yield from given
                case ast.Constant(value=str(text)) if self._fits(text):
                    yield from call.args[number + 1 : number + 2]
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and self._fits(str(key.value)):
                            yield value
                case _:
                    pass
        yield from (one.value for one in call.keywords if one.arg and self._fits(one.arg))

    def _formatted(self, text: ast.JoinedStr) -> Iterator[ast.expr]:
        before = ""
        for part in text.values:
            if isinstance(part, ast.Constant):
                before = str(part.value)
            elif isinstance(part, ast.FormattedValue) and self._fits(before):
                yield part.value

    def _fits(self, text: str) -> bool:
        """Whether a text holds every word of the label."""
        return bool(self.words) and self.words <= set(_WORD.findall(text.lower()))


def _simple(body: Sequence[ast.stmt], scope: str) -> Iterator[tuple[str, ast.stmt]]:
    """The simple statements of a file with the function that they stand in."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _simple(node.body, f"{scope}.{node.name}" if scope else node.name)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            yield scope, node
        else:
            for name in ("body", "orelse", "finalbody"):
                yield from _simple(getattr(node, name, []), scope)
