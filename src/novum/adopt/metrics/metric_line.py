"""The scores that a run printed, and the patterns that find them in what the next one prints."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from novum.adopt.metrics.metric_names import higher_is_better, is_metric, preference, says_split
from novum.arenas.program.manifest import Report
from novum.sandbox.output_text import clean

Take = Literal["last", "min", "max"]

_MOST_TEXT, _LONGEST_LINE, _MOST_NAMES = 4_000_000, 4_000, 40
_MOST_WORDS = 5
_OF = frozenset({"of", "on", "for", "over", "across"})
_VALUE = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[nN][aA][nN]|[iI]nf(?:inity)?)"
_AFTER = r"(?![\w/]|\.\d|:\d|-\d)"
_NUMBER = re.compile(rf"(?<![\w.@^/])(?<!\w-)(?<!\d:){_VALUE}{_AFTER}")
_BETWEEN = re.compile(
    r"""(?:\([^()]{0,40}\)|\b(?:tensor|array|float|(?:np|numpy|torch)\.\w+)\(|\d+/\d+|(?<![\w])(?:is|was|of|at|reached|now)"""
    r"""|(?<=\s)[-–—]+>?|[\s"'\]):=~≈→>|│┃(\[])$"""
)
_BOUND = re.compile(r"[|,;:{}\[\]│┃•*#>]| [-–—] |\t| {2,}")
_TOKEN = re.compile(r"[A-Za-z](?:[\w'./@^²-]*[\w²])?|(?<![\w.])\d+(?![\w.])")
_CONTEXT = re.compile(
    r"[ \t]*[^\w\n]{0,12}((?:final |best )?(?:test|val|valid|validation|eval|evaluation|dev)(?:ing)?(?: set)?)\b",
    re.IGNORECASE,
)
_PIECES = re.compile(r"\d+|\s+|[^\d\s]+")


@dataclass(frozen=True, slots=True)
class Metric:
    """A score: where it is found, its name, and the values that a run left.

    pattern: a regular expression whose one group is the number; empty where a file holds it under the name. take: which
    value counts. rank: 0 is most likely the one that is meant.
    """

    pattern: str
    name: str
    take: Take
    occurrences: int
    values: tuple[float, ...]
    higher_is_better: bool | None
    rank: int = 0
    file: str = ""

    @property
    def report(self) -> Report:
        """How a study says where the score is."""
        if self.file:
            return Report(file=self.file, key=self.name, take=self.take)
        return Report(pattern=self.pattern, take=self.take)


@dataclass(slots=True)
class _Found:
    """A name with what stands between it and its numbers."""

    label: str
    between: str
    context: str
    values: list[float] = field(default_factory=list)
    line: int = 0

    @property
    def name(self) -> str:
        return f"{self.context} {self.label}".strip()


def find_metrics(output: str) -> list[Metric]:
    """The scores in what a run printed, the likeliest first."""
    text = clean(output[-_MOST_TEXT:])
    found: dict[tuple[str, str, str], _Found] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for one, value in _numbers(line) if len(line) <= _LONGEST_LINE else ():
            known = found.setdefault((one.label, one.between, one.context), one)
            known.values.append(value)
            known.line = number
    likely = sorted(found.values(), key=lambda one: -_points(one, len(lines)))[:_MOST_NAMES]
    metrics = [metric for one in likely if (metric := _metric(one, text)) is not None]
    return [replace(metric, rank=rank) for rank, metric in enumerate(metrics)]


def named_metric(output: str, words: str) -> Metric | None:
    """The number that follows some words, whatever they are; None where none does."""
    pattern = rf"(?i)(?<!\w){re.escape(words)}(?!\w)[^\d\n+-]{{0,12}}({_VALUE}){_AFTER}"
    values = tuple(float(one) for one in re.findall(pattern, clean(output)))
    return Metric(pattern, words, "last", len(values), values, higher_is_better(words)) if values else None


def _numbers(line: str) -> Iterator[tuple[_Found, float]]:
    """The numbers of a line that have the name of a score."""
    context = _CONTEXT.match(line)
    at = 0
    for number in _NUMBER.finditer(line):
        before = line[at : number.start()]
        label, between = _split(before)
        if label and _is_score(label, between, number[0]):
            begins = number.start() - len(between) - len(label)
            outer = context[1] if context and context.end() <= begins and not says_split(label) else ""
            yield _Found(label, between, outer), float(number[0])
            at = number.end()


def _split(before: str) -> tuple[str, str]:
    """The name at the end of a text, and what stands behind it."""
    rest = before[-160:]
    end = len(rest)
    while (trail := _BETWEEN.search(rest[:end])) is not None:
        end = trail.start()
    bounds = [bound.end() for bound in _BOUND.finditer(rest[:end])]
    start = bounds[-1] if bounds else 0
    return _name(rest[start:end]), rest[end:]


def _name(text: str) -> str:
    """The words of a name at the end of a text; for `accuracy on the 100 test images`, all from the score on."""
    words = list(_TOKEN.finditer(text))
    if not words or words[-1].end() != len(text):
        return ""
    first = len(words)
    while first > 0 and len(words) - first < _MOST_WORDS and not words[first - 1][0].isdigit():
        if first < len(words) and text[words[first - 1].end() : words[first].start()].strip():
            break
        first -= 1
    if first < len(words) and is_metric(text[words[first].start() :]):
        return text[words[first].start() :]
    return _phrase(text, words)


def _phrase(text: str, words: list[re.Match[str]]) -> str:
    """All words, where they begin with a score that is said to be `of` or `on` something."""
    for score, following in pairwise(words[:4]):
        if following[0] in _OF and len(words) <= 12 and is_metric(text[words[0].start() : score.end()]):
            return text[words[0].start() :]
    return ""


def _is_score(label: str, between: str, number: str) -> bool:
    """Whether a number behind a name is its value: `Error 404` and `precision=16` are none."""
    if _OF & set(label.split()):
        return ":" in between or "=" in between
    whole = number.lstrip("+-").isdigit()
    return not (
        whole and label.lower() in ("error", "precision", "err", "top", "map", "cost", "return", "hit", "success")
    )


def _points(one: _Found, lines: int) -> float:
    """How likely a name is that of the result: by its words, and more so at the end, said once."""
    points = preference(one.name) + 10 * (one.line + 1) / lines
    points += 15 * (len(one.values) == 1 and lines - one.line <= 20)
    return points - 200 * all(math.isnan(value) for value in one.values)


def _metric(one: _Found, text: str) -> Metric | None:
    pattern, values = _pattern(one, text)
    if not values:
        return None
    better = higher_is_better(one.name)
    return Metric(pattern, one.name, take_of(one.name, values, better), len(values), tuple(values), better)


def take_of(name: str, values: Sequence[float], better: bool | None) -> Take:
    """The last value, but the best one where a name says `best` and its values go up and down."""
    steps = [after - before for before, after in pairwise(values)]
    both = any(step > 0 for step in steps) and any(step < 0 for step in steps)
    if "best" in name.lower() and both and better is not None:
        return "max" if better else "min"
    return "last"


def _pattern(one: _Found, text: str) -> tuple[str, list[float]]:
    """The simplest expression that finds the values of a name and no others, and what it finds."""
    words = (r"\d+" if word.isdigit() else re.escape(word) for word in one.label.split())
    name = r"[ \t]+".join(words)
    tail = f"{name}{_general(one.between)}({_VALUE}){_AFTER}"
    lead = rf"(?m)^[^\w\n]*{re.escape(one.context)}\b[^\n]*?" if one.context else ""
    best: tuple[str, list[float]] = ("", [])
    for guard in (r"(?<![\w./@-])", r"(?<![\w./@-])(?<![A-Za-z] )"):
        values = [float(found) for found in re.findall(lead + guard + tail, text)]
        if len(values) == len(one.values):
            return lead + guard + tail, values
        if not best[1] or abs(len(values) - len(one.values)) < abs(len(best[1]) - len(one.values)):
            best = (lead + guard + tail, values)
    return best


def _general(between: str) -> str:
    """What stands between a name and a number, with any spaces and any other numbers."""
    parts = []
    for piece in _PIECES.findall(between):
        if piece.isspace():
            parts.append(r"[ \t]*" if between.strip() else r"[ \t]+")
        else:
            parts.append(r"\d+" if piece.isdigit() else re.escape(piece))
    return "".join(parts)
