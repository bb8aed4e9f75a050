"""EVOLVE-BLOCK markers: comment lines between which a file may be changed; without them, all of it may be.

The markers are those of AlphaEvolve and OpenEvolve: `# EVOLVE-BLOCK-START` and `# EVOLVE-BLOCK-END`, in the comment
style of any language. A marker line is itself fixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from novum.core.model.errors import StudyError

WORD = "EVOLVE-BLOCK-"
_MARKER = re.compile(r"(?:#|//|--|%|;|/\*|<!--|!)\s*EVOLVE-BLOCK-(START|END)\b")


@dataclass(frozen=True, slots=True)
class Block:
    """Editable characters [start, end) of a text; `line` is the number of the marker that opens it (0: none)."""

    start: int
    end: int
    line: int


@lru_cache(maxsize=2048)
def blocks(text: str, path: str = "the file") -> tuple[Block, ...]:
    """The editable parts of a plain text, in order. Raises StudyError for markers that do not pair."""
    if WORD not in text:
        return (Block(0, len(text), 0),)
    found: list[Block] = []
    opened: tuple[int, int] | None = None
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        marker = _MARKER.search(line)
        if marker and marker[1] == "START":
            if opened is not None:
                raise StudyError(
                    f"{path}:{number}: EVOLVE-BLOCK-START inside the block of line {opened[1]}: end it first"
                )
            opened = (min(at + len(line) + 1, len(text)), number)
        elif marker:
            if opened is None:
                raise StudyError(f"{path}:{number}: EVOLVE-BLOCK-END without a start: add EVOLVE-BLOCK-START above it")
            found.append(Block(opened[0], at, opened[1]))
            opened = None
        at += len(line) + 1
    if opened is not None:
        raise StudyError(f"{path}:{opened[1]}: EVOLVE-BLOCK-START is never ended: add a line # EVOLVE-BLOCK-END")
    return tuple(found) or (Block(0, len(text), 0),)


def fixed(text: str, path: str = "the file") -> tuple[str, ...]:
    """The texts around the editable parts, in order: one more than there are parts. Markers belong to them."""
    at, parts = 0, []
    for block in blocks(text, path):
        parts.append(text[at : block.start])
        at = block.end
    return (*parts, text[at:])


def restored(base: str, text: str, path: str) -> str:
    """`text` with the fixed parts of `base`; white space at their line ends may differ. Raises StudyError otherwise."""
    if len(blocks(base, path)) == 1 and blocks(base, path)[0].line == 0:
        return text
    theirs, ours = fixed(text, path), fixed(base, path)
    if len(theirs) != len(ours) or WORD not in text:
        raise StudyError(
            f"{path}: {len(ours) - 1} EVOLVE-BLOCK parts expected, {_count(text, path)} found: keep the markers"
        )
    line = 1
    parts: list[str] = []
    for index, (mine, found) in enumerate(zip(ours, theirs, strict=True)):
        if (bad := _difference(mine, found)) is not None:
            raise StudyError(
                f"{path}:{line + bad}: changed outside the EVOLVE-BLOCK markers: change only what they enclose"
            )
        inside = ""
        if index < len(theirs) - 1:
            block = blocks(text, path)[index]
            inside = text[block.start : block.end]
        line += found.count("\n") + inside.count("\n")
        parts += (mine, inside)
    return "".join(parts)


def _count(text: str, path: str) -> int:
    return len(blocks(text, path)) if WORD in text else 0


def _difference(mine: str, found: str) -> int | None:
    """Number of the first line that differs but for white space at its end, or None."""
    ours, theirs = [[line.rstrip() for line in part.split("\n")] for part in (mine, found)]
    if ours == theirs:
        return None
    return next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), len(theirs) - 1)
