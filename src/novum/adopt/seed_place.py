"""Where the random seed of a training script is set."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from novum.core.model.candidate import Scalar
from novum.core.model.errors import StudyError
from novum.source.declared.argument_defaults import options
from novum.source.declared.declaration import Declared
from novum.source.declared.enumerations import snake
from novum.source.declared.literal_value import literal_value
from novum.source.declared.python_source import PythonSource, dotted, keyword
from novum.source.program_text import terminal
from novum.source.seed_literals import seeds_of

SeedKind = Literal["argument", "environment", "field", "key", "constant", "call", "none"]

_SEED = re.compile(
    r"((random|rand|global|base|rng|manual|torch|np|numpy|init|initial|master|train|training|model)_)*seed(_(value|num|number))?"
    r"|random_state|rng_?seed|prng_?seed"
)
_DATA = re.compile(r".*(split|Split|KFold|Subset|Sampler)\w*|(make|load|fetch)_\w+")
"""Calls whose seed makes or divides the data: another one there is another problem, not another run."""

_ORDER: tuple[SeedKind, ...] = ("argument", "environment", "key", "field", "constant", "call")


@dataclass(frozen=True, slots=True)
class Seed:
    """Where a seed is set. place: the flag, variable or declared place; the called functions for kind `call`.

    value: the one that it has now, None where the text does not say. words: all this in words.
    """

    kind: SeedKind
    path: str = ""
    place: str = ""
    value: Scalar | None = None
    words: str = "no seed is set"


def find_seed(files: Mapping[str, str], declared: Mapping[str, Sequence[Declared]]) -> Seed:
    """The seed of a project, by what is easiest to set: an argument first, literals in calls last.

    declared: the declarations of each file, by path. Of equally good places, the one in the first file.
    """
    found: list[Seed] = []
    for path, text in files.items():
        found += (_declared_seed(path, one) for one in declared.get(path, ()) if _is_seed(one))
        if path.endswith(".py") and (source := _source(text, path)) is not None:
            found += _undeclared_argument(source, path)
            found += _environment(source, path)
            found += _calls(source, path)
    return min(found, key=lambda seed: _ORDER.index(seed.kind), default=Seed("none"))


def _source(text: str, path: str) -> PythonSource | None:
    try:
        return PythonSource(text, path)
    except StudyError:
        return None


def _is_seed(one: Declared) -> bool:
    return isinstance(one.value, int) and not isinstance(one.value, bool) and bool(_SEED.fullmatch(snake(one.name)))


def _declared_seed(path: str, one: Declared) -> Seed:
    return Seed(one.how, path, one.place, one.value, f"{one.place} in {path}, now {one.value}")


def _undeclared_argument(source: PythonSource, path: str) -> Iterator[Seed]:
    """Arguments for a seed without a default, or with one that is no literal."""
    for one in options(source):
        if _SEED.fullmatch(snake(one.name)) and literal_value(keyword(one.call, "default")) is None:
            yield Seed("argument", path, one.flag, None, f"{one.flag} of {path}, without a default")


def _environment(source: PythonSource, path: str) -> Iterator[Seed]:
    """Seeds in variables of the environment: `os.environ["SEED"]`, `os.getenv("SEED", 0)`."""
    for node in source.nodes:
        name: ast.expr | None = None
        default: ast.expr | None = None
        if isinstance(node, ast.Subscript) and terminal(node.value) == "environ":
            name = node.slice if isinstance(node.ctx, ast.Load) else None
        elif isinstance(node, ast.Call) and node.args and _reads_environment(node.func):
            name, default = node.args[0], node.args[1] if len(node.args) > 1 else None
        key = literal_value(name)
        if isinstance(key, str) and _SEED.fullmatch(snake(key).removeprefix("python_").removeprefix("hash_")):
            value = _whole(literal_value(default))
            yield Seed("environment", path, key, value, f"the environment variable {key}, which {path} reads")


def _reads_environment(called: ast.expr) -> bool:
    return dotted(called) in ("os.getenv", "getenv", "os.environ.get", "environ.get")


def _whole(value: Scalar | None) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _calls(source: PythonSource, path: str) -> Iterator[Seed]:
    """All literals in calls that seed, together: they are one seed, in several libraries."""
    nodes = [(call, node) for call in source.calls() for node in seeds_of(call)]
    nodes = [one for one in nodes if not _DATA.fullmatch(terminal(one[0].func))] or nodes
    nodes.sort(key=lambda pair: (pair[1].lineno, pair[1].col_offset))
    if nodes:
        names = tuple(dict.fromkeys(dotted(call.func) or terminal(call.func) for call, _ in nodes))
        value = literal_value(nodes[0][1])
        place = ", ".join(names)
        words = f"{value} in {place} at line {nodes[0][1].lineno} of {path}"
        yield Seed("call", path, place, value, words)
