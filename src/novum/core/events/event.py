"""Kinds of events: how each is called in the ledger, who acts, what it is about, and one sentence that tells it.

All that is said of a kind is said beside its class: `@event` gives its name in the ledger (a literal, which never
changes), its actor and its durability; methods give its subjects and its sentence. Only the projection that folds it is
elsewhere (`novum.core.state.fold`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from novum.core.model.candidate import Candidate, Genome, change_text, genome_text
from novum.core.model.trial_plan import Plan
from novum.text.format import in_one_line

if TYPE_CHECKING:
    from novum.core.model.study import Study


class Words(Protocol):
    """How candidates are said in sentences; the study is None where it is not known."""

    def change(self, study: Study | None, candidate: Genome, incumbent: Genome) -> str:
        """What a candidate changes in its incumbent."""
        ...

    def candidate(self, study: Study | None, genome: Genome) -> str:
        """A candidate by itself."""
        ...


class GeneWords:
    """Candidates by their genes."""

    def change(self, study: Study | None, candidate: Genome, incumbent: Genome) -> str:
        del study
        return change_text(candidate, incumbent, 300)

    def candidate(self, study: Study | None, genome: Genome) -> str:
        del study
        return genome_text(genome)


@dataclass
class Known:
    """What sentences refer to, from earlier events: the study, trial groups, candidates, origins of incumbents."""

    words: Words = field(default_factory=GeneWords)
    study: Study | None = None
    plans: dict[str, Plan] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def change(self, genome: Genome, incumbent: str) -> str:
        """What a genome changes in an incumbent, in words."""
        known = self.candidates.get(incumbent)
        if known is None:
            return self.words.candidate(self.study, genome)
        return self.words.change(self.study, genome, known.genome)

    def candidate(self, genome: Genome) -> str:
        """A candidate, in words."""
        return self.words.candidate(self.study, genome)

    def origin(self, incumbent: str) -> str:
        """The hypothesis that made a candidate the incumbent."""
        return self.origins.get(incumbent, incumbent)


class Event:
    """Something that happened in a campaign: a frozen dataclass, registered by `@event`."""

    __slots__ = ()

    def acted_by(self) -> str:
        """Whose act it is, for the ledger."""
        return _TYPES[type(self)].actor

    def subjects(self, known: Known) -> set[str]:
        """The names by which somebody may ask for it: hypotheses, trials, groups, candidates, proposals."""
        return set()

    def introduce(self, known: Known) -> None:
        """Remember what later sentences refer to."""

    def sentence(self, known: Known) -> str:
        """What happened, in words; it may span lines and hold anybody's text."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event.

    All other events are decisions: durable before they are acted on.
    """

    kind: str
    type: type[Event]
    actor: str
    casual: bool
    """May share a commit with others, since it follows from outcomes or commits to nothing."""


_TYPES: dict[type, EventType] = {}
EVENT_TYPES: dict[str, type[Event]] = {}
"""Event classes by their kind."""

T = TypeVar("T", bound=Event)


def event(kind: str, *, actor: str = "lab", casual: bool = False) -> Callable[[type[T]], type[T]]:
    """Register an event class under the literal name that ledgers know it by."""

    def register(cls: type[T]) -> type[T]:
        if kind in EVENT_TYPES:
            raise TypeError(f"two events are called {kind!r}")
        _TYPES[cls] = EventType(kind, cls, actor, casual)
        EVENT_TYPES[kind] = cls
        return cls

    return register


def kind_of(event_type: type[Event]) -> str:
    """The name of an event class in the ledger."""
    return _TYPES[event_type].kind


def is_casual(happened: Event) -> bool:
    """Whether an event may share a commit with others."""
    return _TYPES[type(happened)].casual


def proposal_name(number: int) -> str:
    """What a proposal is called."""
    return f"proposal {number}"


def told(happened: Event, known: Known) -> str:
    """The sentence of an event that was introduced, in one line, without what a terminal would obey; never cut."""
    return in_one_line(happened.sentence(known))


@dataclass(frozen=True, slots=True)
class Record:
    """One event as the ledger keeps it."""

    seq: int
    time: int
    """Microseconds since the epoch (UTC)."""
    actor: str
    kind: str
    event: Event
    hash: str
    """Of this and all before."""
