"""Crossover of programs: a three-way merge against a common ancestor, in whole statements.

Where both sides changed the same statements one side is drawn; imports added by both are both kept. (Khanna, Kunal and
Pierce, A formal investigation of diff3, FSTTCS 2007.)
"""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.source.meaning import is_python, nodes
from novum.source.space import SourceSpace


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Units [start, end) of the ancestor that one side (0 or 1) replaced."""

    start: int
    end: int
    new: tuple[str, ...]
    side: int


def crossed(space: SourceSpace, ancestor: Genome, one: Genome, two: Genome, rng: random.Random) -> Genome | None:
    """A genome with the changes of both since their ancestor, or None when it is one of them or does not hold up."""
    merged: dict[str, str] = {}
    for path in sorted({*ancestor, *one, *two}):
        texts = [space.text(genome, path) for genome in (ancestor, one, two)]
        merged[path] = merge(path, texts[0], texts[1], texts[2], rng)
    try:
        child = space.validate(merged)
        return None if space.key(child) in {space.key(one), space.key(two), space.key(ancestor)} else child
    except StudyError:
        return None


def merge(path: str, base: str, one: str, two: str, rng: random.Random) -> str:
    """The text with the changes of both sides; for each conflict `rng` draws a side."""
    if one == two or two == base:
        return one
    if one == base:
        return two
    units = _units(base, path)
    hunks = sorted((*_hunks(units, one, path, 0), *_hunks(units, two, path, 1)), key=lambda h: (h.start, h.end, h.side))
    parts: list[str] = []
    at = 0
    for group in _groups(hunks):
        start, end = group[0].start, max(hunk.end for hunk in group)
        parts += units[at:start]
        parts += _settled(units, group, start, end, rng)
        at = end
    return "".join((*parts, *units[at:]))


def _hunks(units: Sequence[str], text: str, path: str, side: int) -> list[_Hunk]:
    new = _units(text, path)
    matcher = difflib.SequenceMatcher(None, units, new, autojunk=False)
    codes = matcher.get_opcodes()
    return [_Hunk(i1, i2, tuple(new[j1:j2]), side) for tag, i1, i2, j1, j2 in codes if tag != "equal"]


def _groups(hunks: Sequence[_Hunk]) -> Iterator[list[_Hunk]]:
    """Hunks that overlap, or insert at one place, together."""
    group: list[_Hunk] = []
    end = -1
    for hunk in hunks:
        same_place = bool(group) and hunk.start == group[-1].start and hunk.start == hunk.end
        if group and hunk.start >= end and not same_place:
            yield group
            group, end = [], -1
        group.append(hunk)
        end = max(end, hunk.end)
    if group:
        yield group


def _settled(units: Sequence[str], group: Sequence[_Hunk], start: int, end: int, rng: random.Random) -> list[str]:
    sides = [_applied(units, [hunk for hunk in group if hunk.side == side], start, end) for side in (0, 1)]
    present = sorted({hunk.side for hunk in group})
    if len(present) == 1 or sides[0] == sides[1]:
        return sides[present[0]]
    if start == end and all(_is_import(unit) for side in sides for unit in side):
        return sides[0] + [unit for unit in sides[1] if unit not in sides[0]]
    return sides[rng.randrange(2)]


def _applied(units: Sequence[str], hunks: Sequence[_Hunk], start: int, end: int) -> list[str]:
    parts: list[str] = []
    at = start
    for hunk in hunks:
        parts += [*units[at : hunk.start], *hunk.new]
        at = hunk.end
    return [*parts, *units[at:end]]


def _is_import(unit: str) -> bool:
    return unit.lstrip().startswith(("import ", "from ")) or not unit.strip()


@lru_cache(maxsize=256)
def _units(text: str, path: str) -> tuple[str, ...]:
    """Lines with their ends; the lines of one simple statement, or of one compound statement's head, are one unit."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    if not is_python(path):
        return tuple(ended)
    joined: set[int] = set()  # numbers of lines that continue the one above
    for node in nodes(text, path):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if isinstance(body, list) and body else (node.end_lineno or node.lineno)
            head = _head_end(node) if body else last
            joined |= set(range(node.lineno + 1, min(last, head) + 1))
    units: list[str] = []
    for number, line in enumerate(ended, 1):
        if number in joined and units:
            units[-1] += line
        else:
            units.append(line)
    return tuple(units)


def _head_end(node: ast.stmt) -> int:
    """The last line of what a compound statement states before its body."""
    heads = [getattr(node, name, None) for name in ("test", "iter", "target", "args", "returns", "items", "bases")]
    flat = [
        part for head in heads for part in (head if isinstance(head, list) else [head]) if isinstance(part, ast.AST)
    ]
    inner = [getattr(part, "end_lineno", None) or 0 for top in flat for part in ast.walk(top)]
    return max([node.lineno, *inner])
