"""Looking things up in the record: events by what they are about, failures by how and where they happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from novum.core.events.campaign import SessionEnded, SessionStarted
from novum.core.events.event import Event, Known, Record, proposal_name, told
from novum.core.events.proposals import HypothesisRegistered
from novum.core.events.trials import TrialFinished
from novum.core.model.candidate import Genome, Scalar
from novum.core.model.errors import UserError
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.state.campaign_state import CampaignState
from novum.text.format import clean, cut
from novum.views.candidate_changes import CandidateWords

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Query:
    """Which events are wanted; whatever is empty does not matter."""

    kinds: frozenset[str] = frozenset()
    subject: str = ""
    """A hypothesis, a candidate, a trial group or a trial."""
    actor: str = ""
    text: str = ""
    """Part of the line in words, whatever its case."""
    after: int = 0
    """Sequence number before the first."""
    seq: int = 0
    """The number of the only one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record and its line."""

    record: Record
    words: str


class Search:
    """Finds events in the records of one lab, which are given to it in order and without gaps.

    seen: number of the last record. session, end: the last session that was seen, and its end if it was seen to end.
    """

    def __init__(self, query: Query, subjects: Iterable[str] = ()) -> None:
        self._query = query
        self._known = Known(CandidateWords())
        self._subjects = {query.subject, *subjects}
        self._text = query.text.casefold()
        self.seen = 0
        self.session: SessionStarted | None = None
        self.end: SessionEnded | None = None

    def find(self, records: Iterable[Record]) -> Iterator[Entry]:
        """The entries that fit, as they come."""
        for record in records:
            self.seen = record.seq
            record.event.introduce(self._known)
            self._note(record.event)
            if self._fits(record):
                line = told(record.event, self._known)
                if self._text in line.casefold():
                    yield Entry(record, line)

    def _note(self, event: Event) -> None:
        if isinstance(event, SessionStarted):
            self.session, self.end = event, None
        elif isinstance(event, SessionEnded):
            self.end = event
        elif isinstance(event, HypothesisRegistered):
            self._subjects |= _same_claim(event, self._query.subject)

    def _fits(self, record: Record) -> bool:
        query = self._query
        return (
            record.seq > query.after
            and query.seq in (0, record.seq)
            and (not query.kinds or record.kind in query.kinds)
            and query.actor in ("", record.actor)
            and (not query.subject or not self._subjects.isdisjoint(record.event.subjects(self._known)))
        )


def subjects(records: Iterable[Record], name: str) -> set[str]:
    """The names under which the record speaks of one thing: a hypothesis is screened in the name of its candidate.

    Raises UserError when nothing is called so.
    """
    known, found = Known(), set[str]()
    for record in records:
        event = record.event
        event.introduce(known)
        if isinstance(event, HypothesisRegistered):
            found |= _same_claim(event, name)
        if name in event.subjects(known):
            found.add(name)
    if not found:
        raise UserError(f"nothing is called {name!r} in this lab: give a hypothesis (h7), a trial or a candidate")
    return found


def _same_claim(event: HypothesisRegistered, name: str) -> set[str]:
    names = {event.id, event.candidate.id}
    return names | {proposal_name(event.number)} if name in names else set()


@dataclass(frozen=True, slots=True)
class FailureQuery:
    """Which failures are wanted; whatever is empty does not matter."""

    kind: str = ""
    cause: str = ""
    purpose: str = ""
    genes: Mapping[str, str] = field(default_factory=dict)
    """Values as a person writes them."""


@dataclass(frozen=True, slots=True)
class FailureLine:
    """One trial without a score, and the lab directory and arena that it is from."""

    trial: str
    kind: OutcomeKind
    cause: str
    purpose: Purpose
    subject: str
    candidate: Genome
    cpu_seconds: float
    lab: str
    arena: str


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one type whose causes differ in numbers alone."""

    kind: OutcomeKind
    cause: str
    count: int
    cpu_seconds: float
    example: str
    """This and `cause`: of the first of them."""
    purposes: tuple[str, ...]
    candidates: int


def failures(state: CampaignState, query: FailureQuery, lab: str = "") -> list[FailureLine]:
    """The failures of a lab that fit, in their order. Raises UserError for a gene that the lab does not have."""
    assert state.study and state.incumbents
    genes = state.incumbents[0].candidate.genome
    if unknown := sorted(set(query.genes) - set(genes)):
        raise UserError(f"--gene {clean(unknown[0])}: the genes of {lab or 'this lab'} are {', '.join(genes)}")
    return [
        FailureLine(
            trial=outcome.trial,
            kind=outcome.kind,
            cause=outcome.cause,
            purpose=plan.purpose,
            subject=plan.subject,
            candidate=dict(plan.candidate.genome),
            cpu_seconds=outcome.cpu_seconds,
            lab=lab,
            arena=state.study.arena,
        )
        for outcome, plan in state.failures
        if _asked_for(outcome, plan, query)
    ]


def grouped(lines: Iterable[FailureLine]) -> list[FailureGroup]:
    """Failures by type and cause, the most frequent first."""
    alike: dict[tuple[OutcomeKind, str], list[FailureLine]] = {}
    for line in lines:
        alike.setdefault((line.kind, _NUMBER.sub("#", cut(line.cause, 300))), []).append(line)
    groups = [
        FailureGroup(
            kind=kind,
            cause=same[0].cause,
            count=len(same),
            cpu_seconds=sum(line.cpu_seconds for line in same),
            example=same[0].trial,
            purposes=tuple(dict.fromkeys(str(line.purpose) for line in same)),
            candidates=len({tuple(sorted((name, str(v)) for name, v in line.candidate.items())) for line in same}),
        )
        for (kind, _), same in alike.items()
    ]
    return sorted(groups, key=lambda group: -group.count)


def _asked_for(outcome: TrialFinished, plan: Plan, query: FailureQuery) -> bool:
    return (
        query.kind in ("", outcome.kind)
        and query.purpose in ("", plan.purpose)
        and query.cause.casefold() in outcome.cause.casefold()
        and all(
            name in plan.candidate.genome and written(plan.candidate.genome[name], text)
            for name, text in query.genes.items()
        )
    )


def written(value: Scalar, text: str) -> bool:
    """Whether a person means `value` by `text`: 0.10 is 0.1, and true is True."""
    if isinstance(value, bool):
        return text.casefold() == str(value).casefold()
    if isinstance(value, str):
        return text == value
    try:
        return float(text) == value
    except ValueError:
        return False
