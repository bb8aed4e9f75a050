"""Seeds that a script writes as plain numbers: `torch.manual_seed(1337)`, `default_rng(0)`, `random_state=42`."""

from __future__ import annotations

import ast
import re

from novum.core.model.errors import StudyError
from novum.source.meaning import is_python, nodes
from novum.source.program_text import terminal
from novum.source.source_text import Edit, Positions, apply, plain

_CALLS = re.compile(
    r"(?:^|_)(?:seeds?|seed_all|manual_seed_all|seed_everything|setup_seed|seed_torch|PRNGKey|default_rng)$"
    r"|^(?:Random|RandomState|SeedSequence)$"
)
_KEYWORDS = frozenset({"seed", "random_state", "random_seed"})


def is_seed_call(name: str) -> bool:
    """Whether a function or class of this name sets a seed, or makes a generator from one."""
    return bool(_CALLS.search(name))


def seed_literals(text: str, path: str) -> tuple[tuple[int, int], ...]:
    """Spans of the plain numbers that seed something, in a Python file; () for others, or what does not parse."""
    if not is_python(path):
        return ()
    try:
        every = nodes(text, path)
    except StudyError:
        return ()
    positions = Positions(text)
    found = [positions.span(one) for node in every if isinstance(node, ast.Call) for one in seeds_of(node)]
    return tuple(sorted(set(found)))


def seeds_of(call: ast.Call) -> list[ast.Constant]:
    """The plain numbers that a call takes as its seed, the first one of `1337 + rank`."""
    given = [one.value for one in call.keywords if one.arg in _KEYWORDS]
    if is_seed_call(terminal(call.func)):
        given += call.args[:1]
    sums = (one for one in given if isinstance(one, ast.Constant | ast.BinOp))
    first = (next((node for node in ast.walk(one) if _is_whole(node)), None) for one in sums)
    return [one for one in first if isinstance(one, ast.Constant)]


def _is_whole(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def with_seed(text: str, path: str, seed: int) -> str:
    """A text with another number at each of them."""
    if path.endswith(".py"):
        text = plain(text)
    return apply(text, [Edit(start, end, str(seed)) for start, end in seed_literals(text, path)])
