"""Proposes nothing itself: the lab waits for people and outside agents, whose proposals come in by the mailbox."""

from __future__ import annotations

import random
from dataclasses import dataclass

from novum.core.model.proposal import Pending
from novum.core.model.study_view import StudyView


@dataclass(frozen=True)
class InboxResearcher:
    """The Researcher port of whoever is outside. Requests are taken in any study; in this one there is nothing else.

    It never says that it is done, so only the budget of wall time (or a request to stop) ends the session.
    """

    @property
    def pending(self) -> bool:
        """Always: somebody may still have an idea."""
        return True

    def propose(self, view: StudyView, rng: random.Random) -> Pending:  # noqa: ARG002 whoever is outside decides
        """Nothing yet."""
        return Pending()
