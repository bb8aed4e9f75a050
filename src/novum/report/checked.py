"""A model's words beside the record: every number in them that is not among the facts is marked.

Only numbers in figures are looked at: not whether a sentence is true, and not numbers in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from novum.report.cited import Figure
from novum.text.format import clean

OFF = 0.1
"""Of a value: what is farther from it than this is another number, however coarsely it is written."""

_SIGN = r"[+\-\u2212]"
_PLAIN = rf"(?:(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE]{_SIGN}?\d+)?"
_NUMBER = rf"(?:(?<![\w.]){_SIGN})?(?<![\w.,])(?:{_PLAIN})(?!\w|[.,]\d)"
_TOKEN = re.compile(
    rf"(?P<formula>{_NUMBER}(?:\s*[/\u2044\u00d7*^]\s*{_SIGN}?{_PLAIN})+)"
    rf"|(?P<number>{_NUMBER})(?P<percent>\s?(?:%|per\s?cent\b))?"
    r"|\w(?:[\w.,]*\w)?"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text."""

    text: str
    verified: bool | None = None
    """None for plain words, else whether its number is among the facts."""


def checked(text: str, facts: Iterable[Figure], names: Iterable[str] = ()) -> tuple[Piece, ...]:
    """A text in pieces. facts: what it may speak of; names: words with digits in them that are known, such as h7.

    A number is verified when it is a fact, rounded as it is written; with a percent sign, a hundred times a fact.
    """
    values, known = [fact.value for fact in facts], {name for name in names if any(map(str.isdigit, name))}
    found: list[Piece] = []
    for word, verified in _words(unicodedata.normalize("NFKC", clean(text)), values, known):
        if verified is None and found and found[-1].verified is None:
            found[-1] = Piece(found[-1].text + word)
        elif word:
            found.append(Piece(word, verified))
    return tuple(found)


def _words(text: str, values: Sequence[float], known: set[str]) -> Iterable[tuple[str, bool | None]]:
    at = 0
    for match in _pattern(known).finditer(text):
        yield text[at : match.start()], None
        at = match.end()
        groups = match.groupdict()
        if groups["number"]:
            yield match[0], _holds(groups["number"], values, percent=bool(groups["percent"]))
        elif groups.get("name") or not any(map(str.isdigit, match[0])):
            yield match[0], None
        else:
            yield match[0], False
    yield text[at:], None


def _pattern(known: set[str]) -> re.Pattern[str]:
    if not known:
        return _TOKEN
    names = "|".join(re.escape(name) for name in sorted(known, key=lambda name: (-len(name), name)))
    return re.compile(rf"(?P<name>(?<![\w.\-])(?:{names})(?![\w\-]))|{_TOKEN.pattern}")


def _holds(word: str, values: Sequence[float], *, percent: bool) -> bool:
    """Whether a number, as it is written, is one of the values rounded."""
    plain = word.replace("\u2212", "-").replace(",", "")
    number = float(plain)
    mantissa, _, exponent = plain.lower().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    for value in values:
        true = 100.0 * value if percent else value
        # Who writes "a loss of 0.03" means -0.03; a sign that is written has to be right.
        true = true if plain[0] in "+-" else abs(true)
        if abs(true - number) <= min(0.5 * unit * (1 + 1e-9), OFF * abs(true)):
            return True
    return False
