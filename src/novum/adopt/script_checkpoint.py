"""The checkpoint of a script: a file that it saves to, and whose existence it asks about.

Covered: paths as plain strings and names that are assigned once, joined by `os.path.join`, `Path(...) / "name"` or `+`;
saving by torch, numpy, joblib, pickle, dill and json, also to another name that is then renamed. Not covered: paths
that are made at run time (arguments, formatted strings, numbered files): nothing is guessed of these.
"""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from novum.core.model.errors import StudyError
from novum.source.meaning import is_python, parsed
from novum.source.program_text import terminal

_DUMPERS = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "json", "joblib"})
_ARRAYS = {"save": ".npy", "savez": ".npz", "savez_compressed": ".npz"}
_NUMPY = frozenset({"np", "numpy", "jnp"})
_ASKS = frozenset({"exists", "isfile", "is_file"})
_MOVES = frozenset({"replace", "rename", "move"})


def find_checkpoint(texts: Mapping[str, str]) -> str:
    """The one path that files of a project both save to and look for, relative to its folder; empty for none or many.

    texts: by path; what is no Python, or cannot be read as such, is passed over.
    """
    found: set[str] = set()
    for path, text in texts.items():
        if not is_python(path):
            continue
        try:
            found |= _Paths(parsed(text, path)).checkpoints()
        except (StudyError, RecursionError):
            continue
    return found.pop() if len(found) == 1 else ""


@dataclass
class _Paths:
    """The paths that a module names. constants: names that stand for one path; opened: what a call knows as open."""

    tree: ast.Module
    constants: dict[str, str] = field(default_factory=dict)
    opened: dict[tuple[ast.Call, str], str] = field(default_factory=dict)

    def checkpoints(self) -> set[str]:
        """Paths below the project that are saved to and asked about."""
        once = _bound_once(self.tree)
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in once:
                    self.constants[name] = self._path(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in once:
                    self.constants[name] = self._path(value)
                case ast.With(items=[ast.withitem(context_expr=value, optional_vars=ast.Name(id=name))], body=body):
                    path = self._written(value)
                    inside = (one for line in body for one in ast.walk(line) if isinstance(one, ast.Call))
                    self.opened |= {(call, name): path for call in inside}
                case _:
                    pass
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        saved = {path for call in calls if (path := self._saved(call))}
        saved |= {there for call in calls for here, there in self._moved(call) if here in saved}
        return {path for path in saved & {self._asked(call) for call in calls} if _is_below(path)}

    def _saved(self, call: ast.Call) -> str:
        """What a call saves to."""
        if not isinstance(call.func, ast.Attribute):
            return ""
        module, name = terminal(call.func.value), call.func.attr
        if module == "torch" and name == "save":
            return self._target(call, 1, "f")
        if module in _NUMPY and name in _ARRAYS:
            path = self._target(call, 0, "file")
            return path if not path or path.endswith(_ARRAYS[name]) else path + _ARRAYS[name]
        if module in _DUMPERS and name == "dump":
            return self._target(call, 1, "filename" if module == "joblib" else "fp" if module == "json" else "file")
        return ""

    def _target(self, call: ast.Call, place: int, keyword: str) -> str:
        """The path in an argument, or of the open file that stands there."""
        given = call.args[place] if len(call.args) > place else None
        given = given or next((word.value for word in call.keywords if word.arg == keyword), None)
        if given is None:
            return ""
        if isinstance(given, ast.Name) and (call, given.id) in self.opened:
            return self.opened[call, given.id]
        return self._written(given) or self._path(given)

    def _written(self, node: ast.expr) -> str:
        """The path of a file that an expression opens to write; empty for any other expression."""
        if not isinstance(node, ast.Call) or terminal(node.func) != "open":
            return ""
        method = isinstance(node.func, ast.Attribute) and terminal(node.func.value) not in ("io", "builtins")
        words = list(node.args) if method else node.args[1:]
        words += [word.value for word in node.keywords if word.arg == "mode"]
        mode = words[0].value if words and isinstance(words[0], ast.Constant) else ""
        if not isinstance(mode, str) or "w" not in mode:
            return ""
        if method:
            assert isinstance(node.func, ast.Attribute)
            return self._path(node.func.value)
        return self._path(node.args[0]) if node.args else ""

    def _moved(self, call: ast.Call) -> Iterator[tuple[str, str]]:
        """From where to where a call renames: `os.replace(a, b)`, `Path(a).rename(b)`."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _MOVES or not call.args:
            return
        if terminal(call.func.value) in ("os", "shutil") and len(call.args) == 2:
            yield self._path(call.args[0]), self._path(call.args[1])
        elif len(call.args) == 1:
            yield self._path(call.func.value), self._path(call.args[0])

    def _asked(self, call: ast.Call) -> str:
        """The path whose existence a call asks about."""
        if terminal(call.func) not in _ASKS:
            return ""
        if call.args:
            return self._path(call.args[0])
        return self._path(call.func.value) if isinstance(call.func, ast.Attribute) else ""

    def _path(self, node: ast.expr) -> str:
        """A path that stands in the text, normalised; empty for one that is made at run time."""
        match node:
            case ast.Constant(value=str(text)):
                return posixpath.normpath(text) if text else ""
            case ast.Name(id=name):
                return self.constants.get(name, "")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined(left, right)
            case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=str(text))):
                before = self._path(left)
                return before + text if before else ""
            case ast.Call(func=func, args=[one]) if terminal(func) in ("Path", "PurePath", "str", "fspath"):
                return self._path(one)
            case ast.Call(func=func, args=parts) if parts and terminal(func) in ("join", "Path"):
                return self._joined(*parts)
            case _:
                return ""

    def _joined(self, *parts: ast.expr) -> str:
        found = [self._path(part) for part in parts]
        return posixpath.normpath(posixpath.join(*found)) if all(found) else ""


def _bound_once(tree: ast.Module) -> set[str]:
    """Names that are given a value in one place alone: of others it is not known here which value counts."""
    nodes = list(ast.walk(tree))
    names = Counter(one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    names.update(one.arg for one in nodes if isinstance(one, ast.arg))
    return {name for name, count in names.items() if count == 1}


def _is_below(path: str) -> bool:
    return not posixpath.isabs(path) and path != "." and path.partition("/")[0] != ".."
