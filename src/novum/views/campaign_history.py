"""The history of a campaign: what the charts need and the fold forgets, by what had been spent.

Cost axes: `cpu` is CPU seconds and `trials` a count, both cumulative over the whole campaign, all sessions. Scores and
effects are in units of the arena's metric.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from novum.core.events.campaign import CampaignOpened, IncumbentChanged, SessionEnded, SessionStarted
from novum.core.events.event import Record
from novum.core.events.oversight import Intervened
from novum.core.events.trials import CandidateTuned, GroupDispatched, TrialFinished
from novum.core.model.budget import Budget
from novum.core.state.campaign_state import CampaignState
from novum.views.author_leaderboard import Leaderboard
from novum.views.index.case_index import CaseIndex
from novum.views.index.confirmation_log import Confirmation
from novum.views.index.trial_log import FreshRuns, Spending
from novum.views.intervention_rows import Intervention, row


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the campaign by what had been spent until then: CPU seconds and trials."""

    cpu: float
    trials: int


@dataclass(frozen=True, slots=True)
class Session:
    """One process that worked on the campaign.

    Where it ran (host, process) is in the ledger and deliberately not here: a report is made to be passed on.
    """

    number: int
    began: int
    """Microseconds since the epoch; wall in seconds."""
    wall: float
    workers: int
    budget: Budget
    reason: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Screened:
    """A candidate's screening score (mean over the search seeds at its best setting) when it became known."""

    candidate: str
    score: float
    at: Moment


@dataclass(frozen=True, slots=True)
class IncumbentPeriod:
    """The time during which one candidate was the incumbent."""

    candidate: str
    hypothesis: str | None
    begin: Moment
    end: Moment
    mean: float | None
    """Of its scored runs on fresh seeds."""
    error: float | None
    """Two standard errors of it, None below two runs."""
    runs: int
    selected: bool
    """Only the runs that made it incumbent exist, and those overstate because they were stopped when they looked best.
    """


@dataclass(frozen=True, slots=True)
class History:
    """A campaign as it went."""

    state: CampaignState
    sessions: tuple[Session, ...]
    screened: tuple[Screened, ...]
    incumbent_runs: tuple[IncumbentPeriod, ...]
    confirmations: tuple[Confirmation, ...]
    spending: tuple[Spending, ...]
    versions: Mapping[str, str]
    events: int
    head: str
    """Hash of the last of `events` events."""
    began: int
    ended: int
    """This and `began`: microseconds since the epoch."""
    interventions: tuple[Intervention, ...] = ()
    cases: CaseIndex = field(default_factory=CaseIndex)
    leaderboard: Leaderboard | None = None


class Timeline:
    """Sessions, screenings, changes of the incumbent and interventions, each by what had been spent until then."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        self.sessions: list[Session] = []
        self.screened: list[Screened] = []
        self.incumbents: list[tuple[Record, IncumbentChanged, Moment]] = []
        self.interventions: list[Intervention] = []
        self.versions: Mapping[str, str] = {}

    @property
    def now(self) -> Moment:
        """What has been spent."""
        return Moment(self._state.cpu_seconds_in_all, self._state.trials)

    def take(self, record: Record) -> None:
        """One more record, which the state has folded."""
        event = record.event
        if isinstance(event, CandidateTuned) and event.score is not None:
            self.screened.append(Screened(event.candidate, event.score, self.now))
        elif isinstance(event, IncumbentChanged):
            self.incumbents.append((record, event, self.now))
        elif isinstance(event, CampaignOpened):
            self.versions = event.versions
        elif isinstance(event, SessionStarted):
            self._started(event, record.time)
        elif isinstance(event, Intervened):
            self.interventions.append(row(record, event))
        if self.sessions and isinstance(event, SessionEnded | GroupDispatched | TrialFinished):
            self._clock()

    def _started(self, event: SessionStarted, time: int) -> None:
        self.sessions.append(Session(event.session, time, 0.0, event.workers, event.budget, "", event.versions))

    def _clock(self) -> None:
        """Keep the open session's clock: a killed session ends with its last event and without a reason."""
        reason = "" if self._state.session_open else self._state.end_reason
        self.sessions[-1] = replace(self.sessions[-1], wall=self._state.elapsed, reason=reason)

    def incumbent_periods(self, fresh: Mapping[str, FreshRuns]) -> Iterable[IncumbentPeriod]:
        """Who was the incumbent when, and how good. fresh: the scored fresh runs of each candidate."""
        ends = [moment for *_, moment in self.incumbents[1:]] + [self.now]
        for (_, change, begin), end in zip(self.incumbents, ends, strict=False):
            runs = fresh.get(change.candidate.id, FreshRuns())
            scores = runs.free or runs.selected
            mean = statistics.fmean(scores) if scores else None
            error = 2 * statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
            selected = bool(scores) and not runs.free
            yield IncumbentPeriod(
                change.candidate.id, change.hypothesis, begin, end, mean, error, len(scores), selected
            )
