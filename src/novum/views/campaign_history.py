"""The history of a campaign: one walk over its records, which keeps what the charts need and the fold forgets.

Cost axes: `cpu` is CPU seconds and `trials` a count, both cumulative over the whole campaign, all sessions. Scores and
effects are in units of the arena's metric.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from novum.core.events.campaign import CampaignOpened, IncumbentChanged, SessionEnded, SessionStarted
from novum.core.events.event import Record
from novum.core.events.oversight import Intervened
from novum.core.events.trials import CandidateTuned, GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, VerdictReached
from novum.core.model.budget import Budget
from novum.core.model.trial_plan import Purpose, Side
from novum.core.model.verdict import Pair
from novum.core.state.campaign_state import CampaignState
from novum.core.state.full_state import FullState
from novum.gate.judge import PROCESSES, difference
from novum.views.author_leaderboard import Books, League
from novum.views.case_index import Casebook
from novum.views.intervention_rows import Intervention, row

FRESH = (Purpose.CALIBRATE, Purpose.CONFIRM, Purpose.ESTIMATE)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the campaign by what had been spent until then: CPU seconds and trials."""

    cpu: float
    trials: int


@dataclass(frozen=True, slots=True)
class Session:
    """One process that worked on the campaign. began: microseconds since the epoch; wall in seconds.

    Where it ran (host, process) is in the ledger and deliberately not here: a report is made to be passed on.
    """

    number: int
    began: int
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
    """The time during which one candidate was the incumbent.

    mean: of its scored runs on fresh seeds; error: two standard errors of it, None below two runs. selected: only the
    runs that made it incumbent exist, and those overstate because they were stopped when they looked best.
    """

    candidate: str
    hypothesis: str | None
    begin: Moment
    end: Moment
    mean: float | None
    error: float | None
    runs: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One confirmation: its rule, the e-value after 0, 1, 2 ... pairs, and the verdict (None while it is open)."""

    rule: ConfirmationOpened
    path: tuple[float, ...]
    verdict: VerdictReached | None

    @property
    def outcome(self) -> str:
        """supported, refuted, inconclusive, or open."""
        return str(self.verdict.verdict) if self.verdict else "open"

    @property
    def threshold(self) -> float:
        """What E was held against at the end, or at the opening while there is no end."""
        return self.verdict.threshold if self.verdict else self.rule.threshold


@dataclass(frozen=True, slots=True)
class Spending:
    """What the trials of one purpose cost."""

    purpose: str
    trials: int
    cpu: float


@dataclass(frozen=True, slots=True)
class History:
    """A campaign as it went. head: hash of the last of `events` events; began, ended: microseconds since the epoch."""

    state: CampaignState
    sessions: tuple[Session, ...]
    screened: tuple[Screened, ...]
    incumbent_runs: tuple[IncumbentPeriod, ...]
    confirmations: tuple[Confirmation, ...]
    spending: tuple[Spending, ...]
    versions: Mapping[str, str]
    events: int
    head: str
    began: int
    ended: int
    interventions: tuple[Intervention, ...] = ()
    cases: Casebook = field(default_factory=Casebook)
    league: League | None = None


@dataclass
class _Runs:
    """Scored fresh runs of one candidate: `free` ones, and those whose number was chosen by their own success."""

    free: list[float] = field(default_factory=list)
    selected: list[float] = field(default_factory=list)


@dataclass
class _Walk:
    """The records so far: the state after them, and what the state does not keep."""

    state: FullState = field(default_factory=FullState)
    books: Books = field(init=False)
    sessions: list[Session] = field(default_factory=list)
    screened: list[Screened] = field(default_factory=list)
    confirmations: dict[tuple[str, int], Confirmation] = field(default_factory=dict)
    trials: dict[Purpose, int] = field(default_factory=lambda: dict.fromkeys(Purpose, 0))
    cpu: dict[Purpose, float] = field(default_factory=lambda: dict.fromkeys(Purpose, 0.0))
    runs: dict[str, _Runs] = field(default_factory=dict)
    incumbent_runs: list[tuple[IncumbentChanged, Moment]] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    interventions: list[Intervention] = field(default_factory=list)
    cases: Casebook = field(default_factory=Casebook)
    last: Record | None = None
    began: int = 0

    def __post_init__(self) -> None:
        self.books = Books(self.state)

    @property
    def now(self) -> Moment:
        return Moment(self.state.cpu_seconds, self.state.trials)

    def take(self, record: Record) -> None:
        """One record, in order."""
        event = record.event
        if isinstance(event, VerdictReached):
            # Before the fold: the pairs are still those that the verdict was reached on.
            self._judged(event)
        self.state.keep(event)
        self.cases.take(record)
        self.books.note(event)
        self.began = self.began or record.time
        self.last = record
        if isinstance(event, TrialFinished):
            self._finished(event)
        elif isinstance(event, CandidateTuned) and event.score is not None:
            self.screened.append(Screened(event.candidate, event.score, self.now))
        elif isinstance(event, ConfirmationOpened):
            self.confirmations[event.hypothesis, event.attempt] = Confirmation(event, (1.0,), None)
        elif isinstance(event, IncumbentChanged):
            self.incumbent_runs.append((event, self.now))
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
        s = self.sessions[-1]
        reason = "" if self.state.session_open else self.state.end_reason
        self.sessions[-1] = Session(s.number, s.began, self.state.elapsed, s.workers, s.budget, reason, s.versions)

    def _finished(self, event: TrialFinished) -> None:
        plan = self.state.plan(event.group)
        self.trials[plan.purpose] += 1
        self.cpu[plan.purpose] += event.cpu_seconds
        if plan.purpose in FRESH and event.score is not None:
            runs = self.runs.setdefault(plan.candidate.id, _Runs())
            own = plan.purpose is Purpose.CONFIRM and plan.side is Side.CANDIDATE
            (runs.selected if own else runs.free).append(event.score)

    def _judged(self, event: VerdictReached) -> None:
        hypothesis = self.state.hypotheses[event.hypothesis]
        if hypothesis.rule:
            pairs = hypothesis.pairs()[: event.pairs]
            self.confirmations[event.hypothesis, event.attempt] = _confirmation(hypothesis.rule, pairs, event)

    def history(self) -> History:
        """Everything, once the last record is in."""
        for key, open_one in self.confirmations.items():
            hypothesis = self.state.hypotheses[key[0]]
            if open_one.verdict is None and hypothesis.attempt == key[1]:
                self.confirmations[key] = _confirmation(open_one.rule, hypothesis.pairs(), None)
        return History(
            state=self.state,
            sessions=tuple(self.sessions),
            screened=tuple(self.screened),
            incumbent_runs=tuple(self._reigns()),
            confirmations=tuple(self.confirmations.values()),
            spending=tuple(Spending(str(p), self.trials[p], self.cpu[p]) for p in Purpose),
            versions=self.versions,
            events=self.last.seq if self.last else 0,
            head=self.last.hash if self.last else "",
            began=self.began,
            ended=self.last.time if self.last else 0,
            interventions=tuple(self.interventions),
            cases=self.cases,
            league=self.books.league() if self.state.opened else None,
        )

    def _reigns(self) -> Iterable[IncumbentPeriod]:
        ends = [moment for _, moment in self.incumbent_runs[1:]] + [self.now]
        for (change, begin), end in zip(self.incumbent_runs, ends, strict=False):
            runs = self.runs.get(change.candidate.id, _Runs())
            scores = runs.free or runs.selected
            mean = statistics.fmean(scores) if scores else None
            error = 2 * statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
            selected = bool(scores) and not runs.free
            yield IncumbentPeriod(
                change.candidate.id, change.hypothesis, begin, end, mean, error, len(scores), selected
            )


def _confirmation(rule: ConfirmationOpened, pairs: Iterable[Pair], verdict: VerdictReached | None) -> Confirmation:
    """The e-process computed again from the raw outcomes, not copied from the verdict."""
    gains = [difference(pair, rule) for pair in pairs]
    return Confirmation(rule, (1.0, *PROCESSES[rule.process](gains, rule.delta, rule.scale)), verdict)


def walk(records: Iterable[Record]) -> History:
    """The history of a ledger, in one pass."""
    steps = _Walk()
    for record in records:
        steps.take(record)
    return steps.history()
