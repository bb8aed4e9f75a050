"""What oversight has done so far: a part of the state, folded from its events alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from novum.core.events.oversight import Commented, Intervened, ProposalReviewed
from novum.core.model.intervention import Alarm, Step

LATEST = 200
"""How many interventions, remarks and comments are kept at hand; the record has them all."""

SECOND = "second"
"""What the evidence calls the second of the session at which it was seen."""


@dataclass
class InterventionLog:
    """Interventions of the watchdog and what of them is in force."""

    resting: dict[str, int] = field(default_factory=dict)
    """Authors whose proposals are not taken, with the number of the proposal at which that ends."""
    exploring: int = 0
    holds: dict[Alarm, str] = field(default_factory=dict)
    """Why nothing new is started, by alarm."""
    since: dict[Alarm, float] = field(default_factory=dict)
    eased: dict[Alarm, float] = field(default_factory=dict)
    """This and `since`: the second of the session at which that began, and at which it ended last."""
    stopped: str = ""
    taken: int = 0
    """Of all."""
    counts: dict[tuple[Alarm, Step], int] = field(default_factory=dict)
    """Interventions by alarm and step."""
    latest: list[Intervened] = field(default_factory=list)
    about: dict[str, list[Intervened]] = field(default_factory=dict)
    """The interventions that concern a hypothesis, an author or whatever else they name."""
    reviews: dict[int, ProposalReviewed] = field(default_factory=dict)
    comments: dict[str, list[Commented]] = field(default_factory=dict)

    def intervened(self, event: Intervened) -> None:
        """Take an intervention into account."""
        self.taken += 1
        self.counts[event.alarm, event.step] = self.counts.get((event.alarm, event.step), 0) + 1
        self.latest = [*self.latest[1 - LATEST :], event]
        if event.subject:
            self.about.setdefault(event.subject, []).append(event)
        if event.step is Step.REST:
            self.resting[event.subject] = event.until
        elif event.step is Step.EXPLORE:
            self.exploring = event.until
        elif event.step is Step.HOLD:
            self.holds[event.alarm] = event.words
            self.since[event.alarm] = event.evidence.get(SECOND, 0.0)
        elif event.step is Step.RELEASE and not event.subject:
            self.holds.pop(event.alarm, None)
            self.eased[event.alarm] = event.evidence.get(SECOND, 0.0)
        elif event.step is Step.STOP:
            self.stopped = event.words

    def reviewed(self, event: ProposalReviewed) -> None:
        """Keep what was remarked on a proposal."""
        self.reviews[event.number] = event

    def commented(self, event: Commented) -> None:
        """Keep a comment."""
        self.comments.setdefault(event.about, []).append(event)

    def rests(self, author: str, number: int) -> bool:
        """Whether proposal `number` of an author is not taken. An author rests under the name of its researcher too."""
        return any(self.resting.get(name, 0) > number for name in {author, member(author)})

    def resumed(self) -> None:
        """A new session begins, perhaps on another machine: what held the last one is looked at anew."""
        self.holds.clear()
        self.since.clear()
        self.eased.clear()
        self.stopped = ""


def member(author: str) -> str:
    """The researcher behind a name such as language:gpt or language/evolve."""
    return author.partition(":")[0].partition("/")[0]
