"""What the watchdog goes by: sums and short memories of what has happened. A part of the state, folded from its events.

They are kept here and not in the watchdog, so that a lab that is resumed knows what one that never stopped would know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from novum.core.events.oversight import Intervened
from novum.core.events.proposals import ProposalMade
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import VerdictReached
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.intervention import Alarm
from novum.core.model.study import Study, WatchdogSettings
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose, Side
from novum.core.model.verdict import Verdict
from novum.core.state.author_stats import LENGTH, AuthorStats, IncumbentRuns
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.interventions import member
from novum.core.state.trial_costs import SweepCost, compute_of

PEAKS = 64
"""Groups by whose peak of memory the next ones are judged."""

STALLED = "stalled: "
"""How the cause begins of a trial that the watchdog declared lost."""

ROUNDING = 1e-9
"""Of a level: what a score beyond it may owe to rounding."""


@dataclass
class Flights:
    """Groups in flight in this session."""

    sent: dict[str, float] = field(default_factory=dict)
    """When each left, in seconds of the session."""
    began: float | None = None
    start: float | None = None
    """Seconds from the first dispatch to the first outcome, None before that."""
    last: float = 0.0
    """When a trial came in last."""
    stalls: int = 0
    """Groups given up in a row, none of them sent before the one before was given up (stalled_at)."""
    stalled_at: float = -1.0

    def dispatched(self, event: GroupDispatched) -> None:
        """A group has left."""
        self.sent[event.plan.id] = event.elapsed
        self.began = event.elapsed if self.began is None else self.began

    def landed(self, event: TrialFinished) -> None:
        """The last trial of a group is in, or the group was given up."""
        sent = self.sent.pop(event.group, event.elapsed)
        if event.kind is OutcomeKind.LOST and event.cause.startswith(STALLED):
            if sent >= self.stalled_at:
                self.stalls, self.stalled_at = self.stalls + 1, event.elapsed
            return
        self.stalls, self.last = 0, event.elapsed
        if self.start is None and self.began is not None:
            self.start = event.elapsed - self.began


@dataclass(frozen=True, slots=True)
class Screening:
    """How the screening of a hypothesis ended."""

    score: float | None
    gain: float | None
    """Over its incumbent, with standard error `doubt`; None if it failed."""
    doubt: float
    cost: SweepCost | None
    renewed: bool
    """The same claim was made before, against another incumbent."""


@dataclass
class AlarmSignals:
    """Counters and sliding windows that the alarms look at."""

    pulse: int = 0
    """Grows whenever something happened that may be worth a look."""
    outside: dict[str, int] = field(default_factory=dict)
    """Authors of requests."""
    authors: dict[str, AuthorStats] = field(default_factory=dict)
    incumbent_runs: dict[str, IncumbentRuns] = field(default_factory=dict)
    flights: Flights = field(default_factory=Flights)
    idle: int = 0
    """Hypotheses screened in a row without a gain."""
    plateaus: int = 0
    """How often that was noticed since the last finding."""
    diverging: dict[str, int] = field(default_factory=dict)
    """Hypotheses whose divergence is still to be noted, with how many it makes for their author."""
    limit: float | None = None
    """The best score that can be."""
    beyond: dict[str, float] = field(default_factory=dict)
    """The score of candidates that went beyond it."""
    amazed: dict[str, str] = field(default_factory=dict)
    """Incumbents over which a gain was called too good, with the first hypothesis that had one."""
    peaks: list[int] = field(default_factory=list)
    """Bytes, of the latest groups."""
    _settings: WatchdogSettings = field(default_factory=WatchdogSettings)
    _up: bool = True
    _gpus: int = 0

    def opened(self, study: Study, spec: ArenaSpec) -> None:
        """The campaign begins: its thresholds, and the scores beyond which there should be none."""
        self._settings, self._gpus = study.watchdog, spec.gpus
        self.limit, self._up = bound(spec, study.watchdog.implausible), spec.higher_is_better

    def resumed(self) -> None:
        """A new session begins, with nothing in flight."""
        self.flights, self.pulse = Flights(), self.pulse + 1

    def who(self, author: str) -> str:
        """Who is meant by an author: somebody outside, or the researcher behind a name such as language:gpt."""
        return author if author in self.outside else member(author)

    def author_stats(self, author: str) -> AuthorStats:
        """What came of an author's ideas so far."""
        return self.authors.setdefault(self.who(author), AuthorStats())

    def proposed(self, event: ProposalMade, *, outside: bool) -> None:
        """An idea; `outside`: by request."""
        if outside:
            self.outside.setdefault(event.author, event.number)

    def refused(self, proposal: ProposalMade, reason: str) -> None:
        """An idea was refused, for another reason than that its author rests."""
        self.author_stats(proposal.author).end(reason)
        self.pulse += 1

    def withdrawn(self, hypothesis: Hypothesis) -> None:
        """A hypothesis came to nothing."""
        self.author_stats(hypothesis.registered.author).end(hypothesis.withdrawn)
        self.pulse += 1

    def screened(self, hypothesis: Hypothesis, result: Screening) -> None:
        """The screening of a hypothesis has ended."""
        self.pulse += 1
        score, gain, effort = result.score, result.gain, result.cost
        if score is None or gain is not None:
            doubts = self._settings.plateau_doubts * result.doubt
            self.idle = self.idle + 1 if gain is None or gain <= doubts else 0
        if result.renewed:
            return  # nobody had a new idea
        author_stats = self.author_stats(hypothesis.registered.author)
        cause = (effort.failure if effort else "") or "no score"
        if score is not None:
            cause = ""
        elif cause.startswith((f"{OutcomeKind.LOST}:", f"{OutcomeKind.STOPPED}:")):
            return  # which says nothing of whose idea it was, or that it cannot run
        author_stats.add(cause[:LENGTH], self._settings.failure_window)
        author_stats.end(cause)
        if cause and effort and effort.diverged == effort.trials:
            author_stats.diverged += 1
            if author_stats.diverged.bit_count() == 1:  # the first, second, fourth, eighth: said ever more rarely
                self.diverging[hypothesis.id] = author_stats.diverged

    def judged(self, event: VerdictReached) -> None:
        """There may be a finding."""
        if event.verdict is Verdict.SUPPORTED:
            self.idle = self.plateaus = 0

    def sent(self, event: GroupDispatched) -> None:
        """A group left for a worker."""
        self.flights.dispatched(event)

    def finished(self, event: TrialFinished, plan: Plan) -> None:
        """A trial came in."""
        if event.member == len(plan.members) - 1:
            self.flights.landed(event)
        score = event.score
        if score is None:
            if event.kind is OutcomeKind.LOST:
                return
        else:
            if self.limit is not None and (score > self.limit if self._up else score < self.limit):
                self.beyond[plan.candidate.id] = score
                self.pulse += 1
            if event.member == 0:
                self.peaks.append(event.peak_bytes)
                if len(self.peaks) > PEAKS:
                    del self.peaks[0]
        if plan.purpose is Purpose.SCREEN:
            self.pulse += compute_of(event, len(plan.members), self._gpus) > self._settings.cost_floor
        elif plan.side is Side.INCUMBENT and plan.purpose is not Purpose.FOLLOW_UP:
            self._ran(event, plan)

    def _ran(self, event: TrialFinished, plan: Plan) -> None:
        """The incumbent has run once more on a fresh seed."""
        reign, failed = self.incumbent_runs.setdefault(plan.candidate.id, IncumbentRuns()), event.score is None
        if plan.purpose is Purpose.CALIBRATE:
            reign.runs, reign.failed = reign.runs + 1, reign.failed + failed
            return
        reign.add(event.group, failed, self._settings.failure_window)
        self.pulse += failed

    def measured(self) -> None:
        """The noise of an incumbent has become known."""
        self.pulse += 1

    def intervened(self, event: Intervened, incumbent: str | None) -> None:
        """What has been dealt with is looked for no more, or anew. incumbent: of the hypothesis that it is about."""
        self.pulse += 1
        if event.alarm in (Alarm.FAILURE_RATE, Alarm.DEAD_END) and event.subject in self.authors:
            self.authors[event.subject].clear()
        elif event.alarm is Alarm.PLATEAU:
            self.idle, self.plateaus = 0, self.plateaus + 1
        elif event.alarm is Alarm.DIVERGENCE:
            self.diverging.pop(event.subject, None)
        elif event.alarm is Alarm.TOO_GOOD and incumbent is not None:
            self.amazed.setdefault(incumbent, event.subject)


def bound(spec: ArenaSpec, implausible: float | None) -> float | None:
    """The best score that is not suspect: perfection, give or take the resolution, or just short of `implausible`."""
    better, found = 1.0 if spec.higher_is_better else -1.0, []
    if spec.ceiling is not None:
        room = abs(spec.ceiling) * math.expm1(spec.resolution) if spec.log else spec.resolution
        found.append(spec.ceiling + better * max(room, ROUNDING * abs(spec.ceiling)))
    if implausible is not None:
        found.append(math.nextafter(implausible, -better * math.inf))
    return min(found, key=lambda level: better * level, default=None)
