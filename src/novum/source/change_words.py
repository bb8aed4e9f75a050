"""What a program changes in another one, as people say it: declared values that differ, then the lines of code."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from novum.core.model.candidate import Change, Genome, Scalar
from novum.source.declared.declaration import same
from novum.source.declared.declarations import declared
from novum.source.parameters import Parameter
from novum.source.source_text import Edit, apply
from novum.source.space import SourceSpace
from novum.text.format import cut, written

ABSENT = "–"
MOST_LINES = 3000
"""Of the part that differs: beyond, its lines are counted and not aligned."""
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that follow each other and were changed. line: of the first, in the new text, from 1. count: how many."""

    path: str
    line: int
    old: str
    new: str
    """This and `old`: the first line that is not empty, without its indent; empty for none."""
    count: int


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """Declared values by their names, and what is left when these are put back: code."""

    values: tuple[Change, ...]
    hunks: tuple[Hunk, ...]


def program_change(space: SourceSpace, candidate: Genome, incumbent: Genome) -> ProgramChange:
    """What one genome of a space in normal form changes in another one."""
    values: list[Change] = []
    hunks: list[Hunk] = []
    for path in sorted({*candidate, *incumbent}):
        old, new = (_text(space, genome, path) for genome in (incumbent, candidate))
        if old == new:
            continue
        mine = tuple(one for one in space.parameters if one.path == path)
        more, lines = _of_file(path, old, new, mine)
        values += more
        hunks += lines
    return ProgramChange(tuple(values), tuple(hunks))


def program_changes(space: SourceSpace, candidate: Genome, incumbent: Genome) -> list[Change]:
    """The same in rows: a value by its name, a changed piece of code by its file and line."""
    found = program_change(space, candidate, incumbent)
    return [*found.values, *(Change(*_row(one)) for one in found.hunks)]


def program_words(space: SourceSpace, candidate: Genome, incumbent: Genome, length: int) -> str:
    """The same in a line of at most `length` characters: "LR 0.01→0.003, train.py:21 `w -= LR`, +2 more"."""
    found = program_change(space, candidate, incumbent)
    parts = [f"{one.gene} {one.old}→{one.new}" for one in found.values]
    more = ""
    if found.hunks:
        first, count = found.hunks[0], sum(one.count for one in found.hunks)
        where = f"{first.path}:{first.line}" if first.line else first.path
        code = first.new if not first.line else f"`{_cut(first.new)}`" if first.new else f"without `{_cut(first.old)}`"
        parts.append(f"{where} {code or 'deleted'}")
        more = f", +{count - 1} more" if count > 1 and first.line else ""
    return cut(", ".join(parts) or "no difference", max(1, length - len(more))) + more


def _text(space: SourceSpace, genome: Genome, path: str) -> str | None:
    return str(genome[path]) if path in genome else space.plain_base.get(path)


def _cut(code: str) -> str:
    return cut(code, _LONGEST)


def _row(one: Hunk) -> tuple[str, str, str]:
    where = f"{one.path}:{one.line}" if one.line else one.path
    more = f" (+{one.count - 1})" if one.count > 1 and one.line else ""
    return _cut(where), _cut(one.old or ABSENT), cut(one.new or ABSENT, _LONGEST - 8) + more


@lru_cache(maxsize=1024)
def _of_file(
    path: str, old: str | None, new: str | None, parameters: tuple[Parameter, ...]
) -> tuple[tuple[Change, ...], tuple[Hunk, ...]]:
    if old is None or new is None:
        count = len((new or old or "").splitlines())
        said = f"{count} line{'s' * (count != 1)}"
        return (), (Hunk(path, 0, "" if old is None else said, "" if new is None else f"new, {said}", count),)
    before, after = ({one.place: one for one in declared(text, path)} for text in (old, new))
    names = {one.place: one.name for one in parameters}
    # Places are numbered: where code that declares something came or went, only those of parameters are the same ones.
    kept = [place for place in before if place in after and (place in names or before.keys() == after.keys())]
    moved = [place for place in kept if not same(before[place].value, after[place].value)]
    values = (Change(names.get(one, one), _written(before[one].value), _written(after[one].value)) for one in moved)
    back = [Edit(after[one].start, after[one].end, old[before[one].start : before[one].end]) for one in moved]
    return tuple(values), tuple(_hunks(path, old, apply(new, back)))


def _written(value: Scalar) -> str:
    return _cut(written(value))


def _hunks(path: str, old: str, new: str) -> Iterator[Hunk]:
    ours, theirs = old.split("\n"), new.split("\n")
    start = _alike(ours, theirs)
    end = _alike(ours[start:][::-1], theirs[start:][::-1])
    ours, theirs = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    if max(len(ours), len(theirs)) > MOST_LINES:
        yield Hunk(path, start + 1, _first(ours), _first(theirs), max(len(ours), len(theirs)))
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        count = max(_full(ours[i:j]), _full(theirs[k:m]))
        if tag != "equal" and count:
            yield Hunk(path, start + k + 1, _first(ours[i:j]), _first(theirs[k:m]), count)


def _alike(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many lines at the beginning are equal."""
    return next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))


def _full(lines: Sequence[str]) -> int:
    return sum(1 for line in lines if line.strip())


def _first(lines: Sequence[str]) -> str:
    return next((line.strip() for line in lines if line.strip()), "")
