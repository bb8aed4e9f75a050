"""Words in which every number names the event that it is from, and the place in that event.

A sentence is made of plain words, of figures, and of names and texts of the record. Plain words hold no digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from novum.core.events.event import Record
from novum.ledger.codec import plain
from novum.text.format import cut, number, signed

LONGEST = 300
"""Characters of a text from the record."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of event `seq`, at `path` in its payload."""

    text: str
    """The number rounded."""
    value: float
    seq: int
    path: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name or a text of event `seq`, cleaned and cut: the value at `path`, a key there, or what changes in it."""

    text: str
    seq: int
    path: str


Part = str | Figure | Name


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The sentence without its sources."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Its numbers."""
        return tuple(part for part in self.parts if isinstance(part, Figure))

    @property
    def events(self) -> tuple[int, ...]:
        """The events of its numbers, in the order of the record."""
        return tuple(sorted({figure.seq for figure in self.figures}))

    @property
    def cited(self) -> str:
        """The sentence with the number of its event behind each figure: "E was 210 [512]"."""
        return "".join(
            part if isinstance(part, str) else f"{part.text} [{part.seq}]" if isinstance(part, Figure) else part.text
            for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What the record says of a hypothesis, in plain words."""

    about: str
    sentences: tuple[Sentence, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All numbers in it, in their order."""
        return tuple(figure for sentence in self.sentences for figure in sentence.figures)

    @property
    def events(self) -> tuple[int, ...]:
        """The events that it cites, in the order of the record."""
        parts = (part for sentence in self.sentences for part in sentence.parts)
        return tuple(sorted({part.seq for part in parts if not isinstance(part, str)}))


def say(*parts: Part) -> Sentence:
    """A sentence of these parts."""
    return Sentence(tuple(part for part in parts if part != ""))


@dataclass(frozen=True)
class Source:
    """One event as the source of figures and names. `path` is dotted: interval.0, candidate.genome.depth."""

    record: Record

    def value(self, path: str) -> Any:
        """What stands at a path. Raises KeyError."""
        return at(plain(self.record.event), path)

    def figure(self, path: str) -> Figure:
        """A number."""
        value = self.value(path)
        return Figure(number(value), value, self.record.seq, path)

    def gain(self, path: str) -> Figure:
        """A number with its sign."""
        value = self.value(path)
        return Figure(signed(value), value, self.record.seq, path)

    def name(self, path: str, length: int = LONGEST) -> Name:
        """A text, or any other value as it is written."""
        return Name(cut(str(self.value(path)), length), self.record.seq, path)

    def key(self, path: str, key: str) -> Name:
        """A key of the mapping at a path."""
        return Name(cut(key, 80), self.record.seq, path)


def at(payload: Any, path: str) -> Any:
    """The value at a dotted path; keys may hold dots themselves. Raises KeyError."""
    found = next(_values(payload, path), None)
    if found is None:
        raise KeyError(path)
    return found[0]


def _values(payload: Any, path: str) -> Iterator[tuple[Any]]:
    if path == "":
        yield (payload,)
    elif isinstance(payload, Mapping):
        for key, value in payload.items():
            if path == key:
                yield (value,)
            elif path.startswith(f"{key}."):
                yield from _values(value, path[len(key) + 1 :])
    elif isinstance(payload, list | tuple):
        head, _, rest = path.partition(".")
        if head.isdecimal() and int(head) < len(payload):
            yield from _values(payload[int(head)], rest)
