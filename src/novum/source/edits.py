"""Changes as people and language models write them: search/replace blocks and whole files, applied strictly.

The block form is the one of aider and OpenEvolve. Nothing is guessed: a search text that is missing, ambiguous or
outside what may be changed is an error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from novum.core.model.candidate import Genome
from novum.core.model.errors import StudyError
from novum.source.blocks import blocks
from novum.source.source_text import Edit, apply, plain
from novum.source.space import SourceSpace

_BLOCK = re.compile(
    r"^<{5,9} SEARCH[ \t]*\n(?P<search>.*?)^={5,9}[ \t]*\n(?P<replace>.*?)^>{5,9} REPLACE[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


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
    body, at = plain(text), 0
    for match in _BLOCK.finditer(body):
        path = _named(body[at : match.start()], paths) or path
        if not path:
            raise StudyError(f"block {len(found) + 1} does not say its file: put one of {', '.join(paths)} above it")
        found.append(Change(path, match["search"], match["replace"]))
        at = match.end()
    if not found:
        raise StudyError(
            "no search/replace block: write <<<<<<< SEARCH, the old text, =======, the new, >>>>>>> REPLACE"
        )
    return tuple(found)


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
    places = _places(text, search)
    if not places:
        raise StudyError(
            f"{change.path}: the search text {_quoted(search)} does not occur: copy it exactly from the file"
        )
    inside = [
        at for at in places if any(b.start <= at and at + len(search) <= b.end for b in blocks(text, change.path))
    ]
    if not inside:
        line = text.count("\n", 0, places[0]) + 1
        raise StudyError(
            f"{change.path}:{line}: {_quoted(search)} is outside the EVOLVE-BLOCK markers: change what they enclose"
        )
    if len(inside) > 1:
        raise StudyError(f"{change.path}: {_quoted(search)} occurs {len(inside)} times: quote more lines around it")
    return apply(text, [Edit(inside[0], inside[0] + len(search), plain(change.replace))])


def _places(text: str, search: str) -> list[int]:
    found, at = [], text.find(search)
    while at >= 0:
        found.append(at)
        at = text.find(search, at + 1)
    return found


def _quoted(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return f"`{line if len(line) <= 50 else line[:47] + '...'}`"
