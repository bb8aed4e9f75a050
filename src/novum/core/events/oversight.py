"""Events of oversight: interventions of the watchdog, remarks of the critic, comments. None of them is evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.events.event import Event, Known, event, proposal_name
from novum.core.model.intervention import Alarm, Remark, Step


@event("intervened", actor="watchdog")
@dataclass(frozen=True, slots=True)
class Intervened(Event):
    """The watchdog did something."""

    alarm: Alarm
    step: Step
    subject: str
    """An author, a hypothesis or a trial group; empty for the lab as a whole."""
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    """The figures behind it, by name."""
    until: int = 0
    """The number of a proposal, for steps that end by themselves."""

    def subjects(self, known: Known) -> set[str]:
        return {self.subject}

    def sentence(self, known: Known) -> str:
        return f"{self.alarm}: {self.words}"


@event("proposal_reviewed", actor="critic", casual=True)
@dataclass(frozen=True, slots=True)
class ProposalReviewed(Event):
    """What the critic remarked on a proposal before any money was spent on it."""

    number: int
    remarks: tuple[Remark, ...]

    def subjects(self, known: Known) -> set[str]:
        return {proposal_name(self.number)}

    def sentence(self, known: Known) -> str:
        remarks = "; ".join(f"{one.check}: {one.words}" for one in self.remarks)
        return f"proposal {self.number}: {remarks or 'nothing'}"


@event("commented")
@dataclass(frozen=True, slots=True)
class Commented(Event):
    """A model's comment on a hypothesis or a proposal: words, which nothing is decided or measured by."""

    about: str
    """A hypothesis such as h7, or "proposal 12"."""
    author: str
    text: str
    request: str = ""
    """The request to the model that it answers."""

    def acted_by(self) -> str:
        return self.author

    def subjects(self, known: Known) -> set[str]:
        return {self.about}

    def sentence(self, known: Known) -> str:
        return f"{self.author} on {self.about}: {self.text}"
