"""Changes as people and language models write them: search/replace blocks and whole files, applied strictly.

The block form is the one of aider and OpenEvolve. Nothing is guessed: a search text that is missing, ambiguous or
outside what may be changed is an error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.source.blocks import Block, blocks
from novum.source.source_text import Edit, apply, plain
from novum.source.space import SourceSpace

MOST_BLOCKS = 200
"""In one text: each is applied to the whole file."""

_SEARCH = re.compile(r"^<{5,9} SEARCH[ \t]*\n", re.MULTILINE)
_DIVIDER = re.compile(r"^={5,9}[ \t]*\n", re.MULTILINE)
_REPLACE = re.compile(r"^>{5,9} REPLACE[ \t]*$", re.MULTILINE)
_MOST_PLACES = 100
"""Of a search text that are counted: one that occurs more than once is refused."""


@dataclass(frozen=True, slots=True)
class Change:
    """Put `replace` in the place of `search` in a file; an empty `search` stands for the whole file."""

    path: str
    search: str
    replace: str


def changes(text: str, paths: Sequence[str]) -> tuple[Change, ...]:
    """The search/replace blocks in a text. The line above a block may name its file; else there must be one file only.

    Raises StudyError when there is no block, or a block whose file is not clear.
    """
    found: list[Change] = []
    path = paths[0] if len(paths) == 1 else ""
    for above, search, replace in _blocks(plain(text)):
        path = _named(above, paths) or path
        if not path:
            raise StudyError(f"block {len(found) + 1} does not say its file: put one of {', '.join(paths)} above it")
        if len(found) >= MOST_BLOCKS:
            raise StudyError(f"more than {MOST_BLOCKS} search/replace blocks: rewrite the file instead")
        found.append(Change(path, search, replace))
    if not found:
        raise StudyError(
            "no search/replace block: write <<<<<<< SEARCH, the old text, =======, the new, >>>>>>> REPLACE"
        )
    return tuple(found)


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Each block: the text above it, what is searched, what is put there. One pass: a block without its end is none."""
    at = 0
    while (
        (search := _SEARCH.search(text, at))
        and (divider := _DIVIDER.search(text, search.end()))
        and (end := _REPLACE.search(text, divider.end()))
    ):
        yield text[at : search.start()], text[search.end() : divider.start()], text[divider.end() : end.start()]
        at = end.end()


def _named(text: str, paths: Sequence[str]) -> str:
    """The path that the last lines above a block name."""
    for line in reversed([line for line in text.split("\n") if line.strip()][-2:]):
        words = re.sub(r"[`*#:\"'()]", " ", line).split()
        if named := next((word for word in words if word in paths), ""):
            return named
    return ""


def edited(space: SourceSpace, genome: Genome, wanted: Sequence[Change]) -> Genome:
    """`genome` after the changes, one after another, in normal form. Raises StudyError and changes nothing."""
    new = dict(space.validate(genome))
    for change in wanted:
        if change.search.strip():
            new[change.path] = _replaced(space, new, change)
        elif change.search or space.text(new, change.path):
            raise StudyError(f"{change.path}: an empty search text in a file that is not empty: quote what to replace")
        else:
            new[change.path] = plain(change.replace)
    return space.validate(new)


def rewritten(space: SourceSpace, genome: Genome, path: str, text: str) -> Genome:
    """`genome` with the whole text of one file replaced, in normal form. Raises StudyError."""
    return space.validate({**space.validate(genome), path: text})


def _replaced(space: SourceSpace, genome: Genome, change: Change) -> str:
    if change.path not in space.base and change.path not in genome:
        raise StudyError(f"{change.path}: not an editable file: change {', '.join(space.base)}")
    text, search = space.text(genome, change.path), plain(change.search)
    first = text.find(search)
    if first < 0:
        raise StudyError(
            f"{change.path}: the search text {_quoted(search)} does not occur: copy it exactly from the file"
        )
    inside = list(islice(_places(text, search, blocks(text, change.path)), _MOST_PLACES))
    if not inside:
        line = text.count("\n", 0, first) + 1
        raise StudyError(
            f"{change.path}:{line}: {_quoted(search)} is outside the EVOLVE-BLOCK markers: change what they enclose"
        )
    if len(inside) > 1:
        raise StudyError(f"{change.path}: {_quoted(search)} occurs {_times(len(inside))}: quote more lines around it")
    return apply(text, [Edit(inside[0], inside[0] + len(search), plain(change.replace))])


def _places(text: str, search: str, parts: Sequence[Block]) -> Iterator[int]:
    """Where a text occurs within the parts that may change."""
    for part in parts:
        at = text.find(search, part.start, part.end)
        while at >= 0:
            yield at
            at = text.find(search, at + 1, part.end)


def _times(count: int) -> str:
    return f"{count} times" if count < _MOST_PLACES else f"{count} times or more"


def _quoted(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return f"`{line if len(line) <= 50 else line[:47] + '...'}`"
