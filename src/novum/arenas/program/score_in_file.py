"""The score in a file that a program leaves: a key of JSON or JSON lines, a column of a table, a tag of TensorBoard.

Files come from a candidate: what they hold is read as data, one value at a time, within bounds.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import PurePosixPath

from novum.arenas.program.logs.event_file import is_event_file, scalars
from novum.arenas.program.logs.wandb_file import is_wandb_file, wandb_cells
from novum.arenas.program.manifest import Report
from novum.arenas.program.printed_score import taken
from novum.core.model.trial import ArtefactError
from novum.text.bounded_json import JsonTooLargeError, load_json

ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
"""Of the files that are looked through for a score; a file of another name is read as JSON."""

LARGEST = 16 << 20
_LONGEST_KEY = 300
_MOST_COLUMNS = 1000
_NAMED = 8


def score_in_file(report: Report, data: bytes, key: str = "") -> float:
    """The number that counts under a key (the report's, where none is given). Raises ArtefactError."""
    key = key or report.key
    return counting(report, report.file, key, numbers_under(report.file, data, key))


def numbers_under(path: str, data: bytes, key: str) -> list[float | str]:
    """What stands under a key, in its order. Raises ArtefactError, which names other keys, where nothing does."""
    found: list[float | str] = []
    others: dict[str, None] = {}
    for name, value in cells(path, data):
        if name != key:
            if len(others) < _NAMED:
                others[name] = None
        elif not is_empty(value):
            found.append(as_number(value))
        else:
            others.pop(name, None)
    if not found:
        raise ArtefactError(f"{path} has no number under {key!r}, only {', '.join(map(repr, others)) or 'nothing'}")
    return found


def counting(report: Report, path: str, key: str, found: list[float | str]) -> float:
    """The number of several that counts. Raises ArtefactError for one that is not finite."""
    number = taken(found, report.take)
    if not isinstance(number, float) or not math.isfinite(number):
        raise ArtefactError(f"{path} has {str(number)[:80]} under {key!r}, which is no finite number")
    return number


def columns(path: str, data: bytes) -> dict[str, list[float | str]]:
    """What stands under each key or column of a file, in its order. Raises ArtefactError."""
    found: dict[str, list[float | str]] = {}
    for key, value in cells(path, data):
        if not is_empty(value):
            found.setdefault(key, []).append(as_number(value))
    return found


def cells(path: str, data: bytes) -> Iterator[tuple[str, object]]:
    """Keys with their values, one after another; nested keys are joined by dots, lists give their elements.

    Raises ArtefactError for a file that is not what its name says.
    """
    ending = PurePosixPath(path).suffix.lower()
    tracked = is_event_file(path) or is_wandb_file(path)
    if (tracked or ending in (".csv", ".tsv", ".jsonl", ".ndjson")) and len(data) > LARGEST:
        raise ArtefactError(f"{path} has {len(data)} bytes, at most {LARGEST} are read")
    if is_wandb_file(path):
        return wandb_cells(path, data)
    if tracked:
        return ((one.tag, one.value) for one in scalars(path, data))
    if ending in (".csv", ".tsv"):
        return _table(path, data, ending)
    if ending in (".jsonl", ".ndjson"):
        return _lines(data)
    return _document(path, data)


def is_empty(value: object) -> bool:
    """Whether a value says that there is none: null, or an empty cell, as of a row that is about something else."""
    return value is None or (isinstance(value, str) and not value.strip())


def as_number(value: object) -> float | str:
    """A number, also one in quotes; what is none, as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return str(value)
    try:
        return float(value)
    except (ValueError, OverflowError):
        return str(value)


def _document(path: str, data: bytes) -> Iterator[tuple[str, object]]:
    try:
        value = load_json(data)
    except JsonTooLargeError as error:
        raise ArtefactError(f"{path} is not JSON that is read: {error}") from None
    except ValueError:
        raise ArtefactError(f"{path} is not JSON") from None
    if not isinstance(value, dict | list):
        raise ArtefactError(f"{path} holds no JSON object")
    yield from _leaves(value)


def _lines(data: bytes) -> Iterator[tuple[str, object]]:
    """Lines that are no JSON are passed over: logs hold other words as well."""
    for line in io.BytesIO(data):
        try:
            yield from _leaves(load_json(line))
        except ValueError:
            continue


def _leaves(value: object) -> Iterator[tuple[str, object]]:
    """Values by their keys, without recursion: brackets may be nested deeper than calls can be."""
    open_: list[tuple[str, object]] = [("", value)]
    while open_:
        key, one = open_.pop()
        if isinstance(one, dict):
            inner = [(f"{key}.{name}" if key else name, below) for name, below in one.items() if _is_short(key, name)]
            open_ += reversed(inner)
        elif isinstance(one, list):
            open_ += [(key, below) for below in reversed(one)]
        elif key:
            yield key, one


def _is_short(key: str, name: str) -> bool:
    return len(key) + len(name) < _LONGEST_KEY


def _table(path: str, data: bytes, ending: str) -> Iterator[tuple[str, object]]:
    text = data.decode("utf-8-sig", errors="replace")
    first = text.lstrip("\n").partition("\n")[0]
    separator = "\t" if ending == ".tsv" else max(",;\t", key=first.count)
    head: list[str] | None = None
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if head is None:
                head = [name.strip() for name in row[:_MOST_COLUMNS]] if row else None
            elif [cell.strip() for cell in row[:_MOST_COLUMNS]] != head:  # which every run that goes on writes again
                yield from ((name, cell) for name, cell in zip(head, row, strict=False) if name)
    except csv.Error as error:
        raise ArtefactError(f"{path} is no table: {error}") from None
