"""The record of a campaign, walked once: the state after its last event, and what views need beside the state."""

from __future__ import annotations

from collections.abc import Iterable

from novum.core.events.event import Record
from novum.core.events.verdicts import VerdictReached
from novum.core.model.errors import IntegrityError
from novum.core.state.full_state import FullState
from novum.views.author_leaderboard import AuthorTally
from novum.views.campaign_history import History, Timeline
from novum.views.index.case_index import CaseIndex
from novum.views.index.confirmation_log import ConfirmationLog
from novum.views.index.trial_log import TrialLog
from novum.views.lineage import Ancestry
from novum.views.proposal_status import RequestTrail


class CampaignIndex:
    """Give it the records of a lab, in order; every view of a campaign is made from it.

    state: the fold, with all trials by name. cases: records by hypothesis. confirmations: each with its pairs. trials:
    every outcome with its plan, and what was spent on whom. timeline: sessions, screenings, incumbents and
    interventions by what had been spent. authors: who is behind each event. ancestry: what came from what. requests:
    what became of requests from outside. first, last: the ends of the record so far.
    """

    def __init__(self) -> None:
        self.state = FullState()
        self.cases = CaseIndex()
        self.confirmations = ConfirmationLog(self.state)
        self.trials = TrialLog(self.state)
        self.timeline = Timeline(self.state)
        self.authors = AuthorTally(self.state)
        self.ancestry = Ancestry(self.state)
        self.requests = RequestTrail()
        self.first: Record | None = None
        self.last: Record | None = None
        self._parts = (self.cases, self.confirmations, self.trials, self.timeline, self.authors, self.ancestry)

    @property
    def seq(self) -> int:
        """The number of the last event, 0 before the first."""
        return self.last.seq if self.last else 0

    def take(self, record: Record) -> None:
        """One more record."""
        if isinstance(record.event, VerdictReached):
            self.confirmations.judge(record.event, record.time)
        self.state.keep(record.event)
        self.first, self.last = self.first or record, record
        for part in self._parts:
            part.take(record)
        self.requests.take(record.event)

    def read(self, records: Iterable[Record]) -> CampaignIndex:
        """All of `records` too. Raises IntegrityError, by event, for a record that contradicts itself."""
        seq = self.seq
        try:
            for record in records:
                seq = record.seq
                self.take(record)
        except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
            raise IntegrityError(
                f"event {seq} contradicts the record before it ({error}): see `novum verify`"
            ) from error
        return self

    def history(self) -> History:
        """The campaign as it went."""
        return History(
            state=self.state,
            sessions=tuple(self.timeline.sessions),
            screened=tuple(self.timeline.screened),
            incumbent_runs=tuple(self.timeline.incumbent_periods(self.trials.runs)),
            confirmations=tuple(self.confirmations.all()),
            spending=tuple(self.trials.by_purpose()),
            versions=self.timeline.versions,
            events=self.seq,
            head=self.last.hash if self.last else "",
            began=self.first.time if self.first else 0,
            ended=self.last.time if self.last else 0,
            interventions=tuple(self.timeline.interventions),
            cases=self.cases,
            leaderboard=self.authors.leaderboard() if self.state.opened else None,
        )
