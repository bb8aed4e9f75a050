"""Text of source files: one line end inside, positions of syntax nodes, replacement of spans.

Inside Novum every line ends in a line feed; a base file with CRLF or a byte order mark gets them back on the way out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

BOM = "\ufeff"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters [start, end) of a text by `new`."""

    start: int
    end: int
    new: str


def plain(text: str) -> str:
    """`text` without byte order mark, each line ended by a line feed as Python's tokenizer reads it."""
    return text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")


def dressed(text: str, like: str) -> str:
    """A plain `text` with the byte order mark and the line ends that `like` has throughout."""
    crlf = "\r\n" in like and "\n" not in like.replace("\r\n", "")
    body = text.replace("\n", "\r\n") if crlf else text
    return BOM + body if like.startswith(BOM) else body


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` after edits that do not overlap; edits at one position keep their order."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += (text[at : edit.start], edit.new)
        at = edit.end
    return "".join((*parts, text[at:]))


class Positions:
    """Offsets in characters of syntax nodes, whose columns count UTF-8 bytes."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def offset(self, line: int, column: int) -> int:
        """Characters before byte `column` of `line` (counted from 1)."""
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode())
        return self.starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias | ast.arg) -> tuple[int, int]:
        """First character of `node` and the one after its last."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)
