"""Events of promises: what a finding will be asked, said before any of it is run."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.event import Event, Known, event
from novum.core.model.trial_plan import ASKED, Aim


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask a finding; `about` names the transfer, the part or the metric."""

    aim: Aim
    about: str = ""

    def __str__(self) -> str:
        return f"{ASKED[self.aim]} {self.about}".strip()


@event("follow_ups_promised", actor="gate")
@dataclass(frozen=True, slots=True)
class FollowUpsPromised(Event):
    """All that a finding will be asked, recorded with the finding: an answer that was left out leaves its question.

    None where the study leaves follow-ups no share of the trials.
    """

    hypothesis: str
    questions: tuple[Question, ...]

    def subjects(self, known: Known) -> set[str]:
        return {self.hypothesis}

    def sentence(self, known: Known) -> str:
        return f"{self.hypothesis} will be asked: {'; '.join(map(str, self.questions)) or 'nothing further'}"
