"""What a file does that somebody may want to know of: one walk over its syntax, kept for each text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.source.meaning import idle, is_python, nodes
from novum.source.space import SourceSpace

TABLE = 200
"""Constants from which on a literal is a table."""

MODULES: Mapping[str, str] = {
    **dict.fromkeys(
        ("socket", "socketserver", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "websockets",
         "ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc", "paramiko"),
        "the network",
    ),
    **dict.fromkeys(("subprocess", "multiprocessing", "pty", "ctypes", "cffi"), "other processes and code"),
    **dict.fromkeys(("gc", "inspect"), "what else is in memory"),
}  # fmt: skip
"""Modules that a candidate has little use for, and what they reach."""

ATTRIBUTES: Mapping[str, str] = {
    **dict.fromkeys(("environ", "getenv"), "the environment"),
    **dict.fromkeys(("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"), "other processes"),
    **dict.fromkeys(("_getframe", "_current_frames", "settrace", "setprofile"), "its callers"),
}
"""The same of `os` and `sys`."""

_HIDDEN = frozenset({"input", "open", "Path"})
_WALLS = ("__subclasses__", "__globals__", "f_back")
_EVERYTHING = frozenset({"Exception", "BaseException"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_ENDS = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Assert)
_EXITS = frozenset({"exit", "quit", "_exit", "abort"})
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_Display = ast.List | ast.Tuple | ast.Set | ast.Dict


@dataclass
class Traits:
    """By what is found, the line where it stands first. strings: constants but docstrings; table: constants in all."""

    strings: dict[str, int] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)
    habits: dict[str, int] = field(default_factory=dict)
    table: int = 0
    table_line: int = 0


def changed(genome: Genome, incumbent: Genome, space: SourceSpace) -> Iterator[tuple[str, Traits, tuple[Traits, ...]]]:
    """Each changed Python file: its path, its traits, and those of the same file in the base and in the incumbent."""
    for path, text in genome.items():
        if is_python(path):
            before = {space.plain_base.get(path, ""), space.text(incumbent, path)}
            yield path, traits(str(text), path), tuple(traits(old, path) for old in before)


_DATA_SETS = re.compile(
    r"^(sklearn|torchvision|torchaudio|torchtext|keras|tensorflow\.keras|scipy|statsmodels|skimage|vega|gluonts)"
    r"\.(datasets|data|sample_data)\b|^(datasets|tensorflow_datasets|tensorflow_hub|openml|nltk|mnist|kagglehub|huggingface_hub)\b"
)
"""Modules that hold or fetch data sets: whoever looks rows up there needs no better program."""


@lru_cache(maxsize=512)
def traits(text: str, path: str) -> Traits:
    """The traits of a file; none of one that is not valid."""
    walk = _Walk()
    try:
        every = nodes(text, path)
    except StudyError:
        return walk.found
    for node in every:
        look = _LOOKS.get(node.__class__)
        if look is not None:
            look(walk, node)
    for name, words, into, line in walk.calls:
        if name not in walk.own:
            into.setdefault(words, line)
    return walk.found


@dataclass
class _Walk:
    """Traits in the making. own: names of the file's own that hide a builtin; skipped: nodes that were counted.

    calls: uses of such names, which count if they are not the file's own: name, words, where they go, line.
    """

    found: Traits = field(default_factory=Traits)
    own: set[str] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)
    calls: list[tuple[str, str, dict[str, int], int]] = field(default_factory=list)

    def constant(self, node: ast.Constant) -> None:
        """A text that is no docstring."""
        value = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
        if isinstance(value, str) and id(node) not in self.skipped:
            self.found.strings.setdefault(value, node.lineno)

    def expression(self, node: ast.Expr) -> None:
        """A docstring is said, not used."""
        if isinstance(node.value, ast.Constant):
            self.skipped.add(id(node.value))

    def display(self, node: _Display) -> None:
        """Count the constants of a literal, those of literals in it included."""
        if id(node) in self.skipped:
            return
        count, waiting = 0, list(_items(node))
        for child in waiting:
            if isinstance(child, ast.Constant):
                count += 1
            elif isinstance(child, _DISPLAYS):
                self.skipped.add(id(child))
                waiting += _items(child)
            elif isinstance(child, ast.UnaryOp):
                waiting.append(child.operand)
        if count >= TABLE:
            self.found.table += count
            self.found.table_line = self.found.table_line or node.lineno

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        """Modules, and what is taken from `os` and `sys`."""
        if isinstance(node, ast.Import):
            self._modules([alias.name for alias in node.names], node.lineno)
        elif node.module and not node.level:
            self._modules([node.module], node.lineno)
            if node.module in ("os", "sys"):
                for alias in node.names:
                    self._taken(node.module, alias.name, node.lineno)

    def attribute(self, node: ast.Attribute) -> None:
        """What is taken from `os` and `sys`, and ways through the interpreter."""
        if node.attr in _WALLS:
            self.found.reaches.setdefault(f"{node.attr}, which reaches what else is in memory", node.lineno)
        elif isinstance(node.value, ast.Name) and node.value.id in ("os", "sys"):
            self._taken(node.value.id, node.attr, node.lineno)

    def call(self, node: ast.Call) -> None:
        """Questions to nobody, and files elsewhere."""
        name = _name(node.func)
        if name == "input":
            words = "it asks for input, and nobody is there to answer"
            self.calls.append((name, words, self.found.habits, node.lineno))
        elif name in ("open", "Path") and node.args and isinstance(node.args[0], ast.Constant):
            path = node.args[0].value
            if isinstance(path, str) and path.startswith(("/", "~", "../")) and path != "/dev/null":
                words = f"{path!r}, a file outside its directory"
                self.calls.append((name, words, self.found.reaches, node.lineno))

    def name(self, node: ast.Name) -> None:
        """A name that the file sets."""
        if node.id in _HIDDEN and not isinstance(node.ctx, ast.Load):
            self.own.add(node.id)

    def argument(self, node: ast.arg) -> None:
        """The same for a parameter."""
        self.own.add(node.arg)

    def loop(self, node: ast.While) -> None:
        """A loop without an end."""
        if isinstance(node.test, ast.Constant) and node.test.value and not _ends(node.body):
            self.found.habits.setdefault("a loop that nothing in it ends", node.lineno)

    def scope(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) -> None:
        """Errors that are all passed over."""
        where = "the whole file" if isinstance(node, ast.Module) else node.name
        self.own.add(where)
        acts = [one for one in node.body if not idle(one) and not isinstance(one, ast.Import | ast.ImportFrom)]
        if len(acts) == 1 and isinstance(acts[0], ast.Try) and any(_swallows(one) for one in acts[0].handlers):
            self.found.habits.setdefault(f"every error in {where} is passed over in silence", acts[0].lineno)

    def _modules(self, names: list[str], line: int) -> None:
        for name in names:
            if _DATA_SETS.search(name):
                self.found.reaches.setdefault(f"{name}, which holds data sets and their labels", line)
            if reached := MODULES.get(name.partition(".")[0]):
                self.found.reaches.setdefault(f"{name}, which reaches {reached}", line)

    def _taken(self, module: str, name: str, line: int) -> None:
        reached = ATTRIBUTES.get(name)
        if module == "os" and name.startswith(("exec", "spawn")):
            reached = "other processes"
        if reached:
            self.found.reaches.setdefault(f"{module}.{name}, which reaches {reached}", line)


_LOOKS: Mapping[type, Callable[[_Walk, Any], None]] = {
    ast.Constant: _Walk.constant,
    ast.Expr: _Walk.expression,
    **dict.fromkeys(_DISPLAYS, _Walk.display),
    **dict.fromkeys((ast.Import, ast.ImportFrom), _Walk.imported),
    ast.Attribute: _Walk.attribute,
    ast.Call: _Walk.call,
    ast.Name: _Walk.name,
    ast.arg: _Walk.argument,
    ast.While: _Walk.loop,
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Module), _Walk.scope),
}


def _items(node: _Display) -> list[ast.expr]:
    if isinstance(node, ast.Dict):
        return [*(key for key in node.keys if key), *node.values]
    return node.elts


def _ends(body: list[ast.stmt]) -> bool:
    """Whether anything in the body of a loop may end it: a break of its own, or what leaves the function."""
    waiting: list[tuple[ast.AST, bool]] = [(one, False) for one in body]
    for node, nested in waiting:
        if isinstance(node, _ENDS) or (isinstance(node, ast.Break) and not nested):
            return True
        if isinstance(node, ast.Call) and _name(node.func) in _EXITS:
            return True
        if not isinstance(node, _SCOPES):
            deeper = nested or isinstance(node, _LOOPS)
            waiting += [(child, deeper) for child in ast.iter_child_nodes(node)]
    return False


def _swallows(handler: ast.ExceptHandler) -> bool:
    kind = handler.type
    return (kind is None or _name(kind) in _EVERYTHING) and all(idle(one) for one in handler.body)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
