"""A candidate as a unified diff against the base tree, for `git apply` and `patch -p1`, and in one line for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from novum.core.model.candidate import Genome
from novum.source.space import SourceSpace


def patch(space: SourceSpace, genome: Genome) -> str:
    """The unified diff of a genome; empty for the base. Raises StudyError when the genome does not fit."""
    full = space.complete(genome)
    parts = []
    for path in sorted(full):
        old = space.base.get(path)
        if old != full[path]:
            parts += list(_file(path, old, full[path]))
    return "".join(parts)


def between(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """The unified diff from one set of files to another."""
    paths = [path for path in sorted({**old, **new}) if old.get(path) != new.get(path)]
    return "".join(line for path in paths for line in _file(path, old.get(path), new.get(path)))


def summary(space: SourceSpace, genome: Genome) -> str:
    """What a genome changes, in a line: "solver.py: 3 lines changed"."""
    words = [_words(path, space.plain_base.get(path), str(text)) for path, text in space.validate(genome).items()]
    return "; ".join(words) or "no change"


def _file(path: str, old: str | None, new: str | None) -> Iterator[str]:
    ours, theirs = _name(f"a/{path}"), _name(f"b/{path}")
    yield f"diff --git {ours} {theirs}\n"
    if old is None:
        yield "new file mode 100644\n"
    if new is None:
        yield "deleted file mode 100644\n"
    tail = "\t" if " " in path else ""
    head = "/dev/null" if old is None else ours + tail, "/dev/null" if new is None else theirs + tail
    lines = list(difflib.unified_diff(_lines(old or ""), _lines(new or ""), *head, lineterm="\n"))
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Lines with their ends, split at line feeds only, as the tools that read patches do."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _name(path: str) -> str:
    """A path as git writes it: quoted when a quotation mark or a control character is in it."""
    if '"' not in path and path.isprintable():
        return path
    quoted = path.replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\{ord(c):03o}" for c in quoted) + '"'


def _words(path: str, old: str | None, new: str) -> str:
    if old is None:
        count = len(_lines(new))
        return f"{path}: new, {count} line{'s' * (count != 1)}"
    matcher = difflib.SequenceMatcher(None, _lines(old), _lines(new), autojunk=False)
    count = sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")
    return f"{path}: {count} line{'s' * (count != 1)} changed"
