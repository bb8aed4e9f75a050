"""An interpretation as it is shown, with what models have said beside it, checked against the facts they were given."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Known, Record, told
from novum.core.events.oversight import Commented
from novum.report.analyst import interpret
from novum.report.checked import Piece, checked
from novum.report.cited import Figure, Interpretation, Name
from novum.views.candidate_changes import CandidateWords
from novum.views.index.case_index import CaseIndex

UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Remarked:
    """A model's comment: whose, in pieces, and the number of its event. Nothing is measured or decided by it."""

    author: str
    pieces: tuple[Piece, ...]
    seq: int

    @property
    def text(self) -> str:
        """The comment in a line, with every number marked that is not among the facts."""
        shown = (f"{one.text} [{UNVERIFIED}]" if one.verified is False else one.text for one in self.pieces)
        return " ".join("".join(shown).split())


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the record says of a hypothesis, and what models remarked on it."""

    hypothesis: str
    interpretation: Interpretation
    comments: tuple[Remarked, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """An event that is cited."""

    seq: int
    time: int
    """Microseconds since the epoch."""
    kind: str
    words: str


def explain(book: CaseIndex, name: str) -> Explanation:
    """Everything that can be said of a hypothesis. Raises KeyError for a name that is none."""
    told = interpret(book, name)
    said = book.comments.get(name, [])
    return Explanation(name, told, tuple(_remarked(book, told, record) for record in said))


def _remarked(book: CaseIndex, told: Interpretation, record: Record) -> Remarked:
    """A comment, held against what the record said when its model was asked."""
    event = record.event
    assert isinstance(event, Commented)
    asked = book.asked.get(event.request, record.seq)
    parts = [part for sentence in told.sentences for part in sentence.parts if not isinstance(part, str)]
    facts = [part for part in parts if isinstance(part, Figure) and part.seq < asked]
    names = [part.text for part in parts if isinstance(part, Name) and part.seq < asked]
    return Remarked(event.author, checked(event.text, facts, [told.about, *names]), record.seq)


def events_cited(book: CaseIndex, explanations: tuple[Explanation, ...]) -> list[Cited]:
    """The events that explanations cite, each once, in words."""
    wanted = {seq for one in explanations for seq in one.interpretation.events}
    known = Known(CandidateWords())
    if book.opened:
        book.opened.event.introduce(known)
    for record in book.incumbents.values():
        record.event.introduce(known)
    found = []
    for record in sorted(book.records(), key=lambda one: one.seq):
        if record.seq in wanted:
            record.event.introduce(known)
            found.append(Cited(record.seq, record.time, record.kind, told(record.event, known)))
    return found
