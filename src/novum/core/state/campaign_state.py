"""The state of a lab: a fold of its events. Restarting is folding; nothing else is remembered.

A State is built by `apply` alone. Stages and faces read it and never change it.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Set
from typing import Any

from novum.core.events.campaign import (
    CampaignOpened,
    IncumbentChanged,
    PreflightRecorded,
    Provenance,
    SessionEnded,
    SessionStarted,
)
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import (
    HypothesisRegistered,
    HypothesisSuperseded,
    HypothesisWithdrawn,
    ProposalMade,
    ProposalRefused,
)
from novum.core.events.registry import EVENT_TYPES, Event
from novum.core.events.trials import CandidateTuned, GroupDispatched, RungClosed, ScaleMeasured, TrialFinished
from novum.core.events.verdicts import (
    AblationPlanned,
    ConfirmationOpened,
    FindingRecorded,
    FollowUpClosed,
    FollowUpOpened,
    VerdictReached,
)
from novum.core.model.arena_spec import ArenaSpec
from novum.core.model.budget import Budget, Spent
from novum.core.model.candidate import Candidate
from novum.core.model.intervention import Alarm, Step
from novum.core.model.metric import gain
from novum.core.model.study import Study
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Account, Verdict
from novum.core.state.alarm_signals import AlarmSignals
from novum.core.state.confirmation_queue import ConfirmationQueue
from novum.core.state.holdout_queries import HoldoutQueries
from novum.core.state.hypothesis import FollowUp, Hypothesis, Phase, no_runs
from novum.core.state.interventions import InterventionLog
from novum.core.state.parts import PARTS
from novum.core.state.requests import RequestLog
from novum.core.state.spending import Spending
from novum.core.state.trial_costs import LostTrials, SweepCost, TrialPrices

Sweep = dict[tuple[int, int], TrialFinished]
"""Screening runs of a candidate by (number of the tuning setting, number of the search seed)."""


class CampaignState:
    """What a lab knows. Attributes are for reading; `apply` is the only writer."""

    def __init__(self) -> None:
        self.study: Study | None = None
        self.spec: ArenaSpec | None = None
        self.code = ""
        self.public_key = ""
        self.secret_commitment = ""
        self.session = 0
        self.session_open = False
        self.budget = Budget()
        self.workers = 0
        self.provenance = Provenance()
        self.end_reason = ""
        self.elapsed = self._earlier_sessions = 0.0
        self.preflight: PreflightRecorded | None = None
        self.set_aside = Spent()
        self.pending: list[ProposalMade] = []
        self.proposals = self.refused = self.refused_in_a_row = 0
        self.hypotheses: dict[str, Hypothesis] = {}
        self._by_phase: dict[Phase, dict[str, Hypothesis]] = {phase: {} for phase in Phase}
        self.screened: list[Hypothesis] = []
        self.confirmation_queue = ConfirmationQueue()
        self._known: dict[str, set[str]] = {}
        self.screened_against: Counter[str] = Counter()
        self.promoted_against: Counter[str] = Counter()
        self.incumbents: list[IncumbentChanged] = []
        self.candidates: dict[str, Candidate] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.rungs: dict[str, RungClosed] = {}
        self.rung_scores: list[float] = []
        self.tuned: dict[str, CandidateTuned] = {}
        self.calibration: dict[str, dict[int, TrialFinished]] = {}
        self.scales: dict[str, ScaleMeasured] = {}
        self.account = Account()
        self.in_flight: dict[str, Plan] = {}
        self._plans: dict[str, Plan] = {}
        self.findings: list[Hypothesis] = []
        self.exploratory: dict[str, Hypothesis] = {}
        self.requested: dict[str, Hypothesis] = {}
        self.ablations: dict[tuple[str, str], AblationPlanned] = {}
        self.rivals: set[str] = set()
        self.following: Hypothesis | None = None
        self.holdout: HoldoutQueries = HoldoutQueries()
        self.request_log: RequestLog = RequestLog()
        self.intervention_log: InterventionLog = InterventionLog()
        self.alarm_signals, self.spending = AlarmSignals(), Spending()
        self.follow_up_trials = self.dispatched = 0
        self._crowned: dict[str, Hypothesis] = {}
        self.trials, self.cpu_seconds = 0, 0.0
        self.outcomes: Counter[OutcomeKind] = Counter()
        self._arrived: dict[str, set[int]] = {}
        self.sweep_costs: dict[str, SweepCost] = {}
        self.failures: list[tuple[TrialFinished, Plan]] = []
        self.lost_trials, self.prices = LostTrials(), TrialPrices()

    @property
    def incumbent(self) -> IncumbentChanged:
        """The candidate to beat."""
        return self.incumbents[-1]

    @property
    def wall_seconds(self) -> float:
        """Wall time of all sessions, each by its own monotonic clock."""
        return self._earlier_sessions + self.elapsed

    def open_hypotheses(self, *phases: Phase) -> list[Hypothesis]:
        """Hypotheses in any of the phases, phase by phase, in the order in which they entered it."""
        return [hypothesis for phase in phases for hypothesis in self._by_phase[phase].values()]

    def plan(self, group: str) -> Plan:
        """The plan of a group that is in flight, or that was more than a sweep. Raises KeyError."""
        return self._plans[group]

    def count(self, phase: Phase) -> int:
        """How many hypotheses are in a phase."""
        return len(self._by_phase[phase])

    def _move(self, hypothesis: Hypothesis, phase: Phase) -> None:
        self._by_phase[hypothesis.phase].pop(hypothesis.id, None)
        self.confirmation_queue.drop(hypothesis.id)
        hypothesis.phase = phase
        self._by_phase[phase][hypothesis.id] = hypothesis
        if phase is Phase.WAITING and self._promising(hypothesis):
            self.confirmation_queue.add(hypothesis, self.advantage(hypothesis) or 0.0)

    def _promising(self, hypothesis: Hypothesis) -> bool:
        """Whether screening leaves room for an improvement: no more than one standard error below the incumbent."""
        assert self.study
        if not self.swept(hypothesis.candidate.id):
            return False
        gain, scale = self.advantage(hypothesis), self.scales.get(hypothesis.registered.incumbent)
        doubt = scale.sigma / math.sqrt(2 * self.study.screening.seeds) if scale else 0.0
        return gain is not None and gain > -doubt

    def known(self, incumbent: str) -> Set[str]:
        """Candidates that are registered against an incumbent, and that incumbent itself."""
        return self._known.get(incumbent, frozenset({incumbent}))

    def gain(self, candidate: str, incumbent: str) -> float | None:
        """Gain in the screening score over the level of another candidate, better is positive; None if unknown.

        That level is the mean of its fresh runs where there is one (an incumbent's own screening score is a lucky
        one, or it would not have been promoted) and they are scored on the same data, else its screening score on the
        same search seeds.
        """
        assert self.spec
        mine, other = self.tuned.get(candidate), self.level(incumbent)
        if mine is None or mine.score is None or other is None:
            return None
        return gain(mine.score, other, higher_is_better=self.spec.higher_is_better, log=self.spec.log)

    def level(self, candidate: str) -> float | None:
        """What screening gains are held against: see `gain`; None while it is not known."""
        assert self.study and self.spec
        if candidate in self.scales and self.study.screening.fidelity == 1.0 and not self.spec.fixed_data:
            return self.scales[candidate].mean
        tuned = self.tuned.get(candidate)
        return tuned.score if tuned else None

    def advantage(self, hypothesis: Hypothesis) -> float | None:
        """Screening gain of a hypothesis over its registered incumbent."""
        return self.gain(hypothesis.candidate.id, hypothesis.registered.incumbent)

    def for_follow_up(self, plan: Plan) -> bool:
        """Whether a plan counts towards the share of the follow-ups: their pairs, and the sweeps of their rivals."""
        return plan.purpose is Purpose.FOLLOW_UP or (
            plan.purpose is Purpose.SCREEN and plan.candidate.id in self.rivals
        )

    def swept(self, candidate: str) -> bool:
        """Whether a candidate has had its whole sweep, as incumbents have."""
        assert self.study
        return candidate in self.tuned and self.tuned[candidate].seeds >= self.study.screening.seeds

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        _HANDLERS[type(event)](self, event)

    def _campaign_opened(self, event: CampaignOpened) -> None:
        self.study, self.spec = event.study, event.card
        self.code, self.secret_commitment = event.code, event.secret_commitment
        self.alarm_signals.opened(event.study, event.card)

    def _session_started(self, event: SessionStarted) -> None:
        self._earlier_sessions += self.elapsed
        self.session, self.session_open, self.elapsed = event.session, True, 0.0
        self.budget, self.workers, self.provenance = event.budget, event.workers, event.provenance
        self.in_flight.clear()
        self.spending.ended()
        self.request_log.resumed()
        self.intervention_log.resumed()
        self.alarm_signals.resumed()

    def _session_ended(self, event: SessionEnded) -> None:
        self.elapsed = max(self.elapsed, event.elapsed)
        self.session_open, self.end_reason = False, event.reason
        self.in_flight.clear()
        self.spending.ended()

    def _proposal_made(self, event: ProposalMade) -> None:
        self.proposals = event.number
        self.pending.append(event)
        self.spending.proposed(event)
        self.alarm_signals.proposed(event, outside=event.request in self.request_log.taken)

    def _proposal_refused(self, event: ProposalRefused) -> None:
        for one in [one for one in self.pending if one.number == event.number]:
            if not self.intervention_log.rests(one.author, one.number):
                self.alarm_signals.refused(one, event.reason)
            self.refused_in_a_row += one.request not in self.request_log.taken  # nobody outside ends the study
        self.pending = [proposal for proposal in self.pending if proposal.number != event.number]
        self.refused += 1

    def _hypothesis_registered(self, event: HypothesisRegistered) -> None:
        self.pending = [proposal for proposal in self.pending if proposal.number != event.number]
        self.refused_in_a_row = 0
        self.spending.registered(event)
        hypothesis = self.hypotheses[event.id] = Hypothesis(event, self._crowned.get(event.incumbent))
        self._move(hypothesis, Phase.SCREENING)
        self._known.setdefault(event.incumbent, {event.incumbent}).add(event.candidate.id)
        self.candidates[event.candidate.id] = event.candidate
        self.sweeps.setdefault(event.candidate.id, {})
        self._settle_screening(hypothesis)

    def _hypothesis_superseded(self, event: HypothesisSuperseded) -> None:
        self._move(self.hypotheses[event.hypothesis], Phase.SUPERSEDED)

    def _hypothesis_withdrawn(self, event: HypothesisWithdrawn) -> None:
        hypothesis = self.hypotheses[event.hypothesis]
        hypothesis.withdrawn = event.reason
        self._move(hypothesis, Phase.WITHDRAWN)
        self.exploratory.pop(hypothesis.id, None)
        self.requested.pop(hypothesis.id, None)
        self.alarm_signals.withdrawn(hypothesis)

    def _intervened(self, event: Intervened) -> None:
        self.intervention_log.intervened(event)
        self.alarm_signals.intervened(self, event)
        if event.alarm is Alarm.TOO_GOOD and (hypothesis := self.hypotheses.get(event.subject)):
            if event.step is Step.QUARANTINE:
                self._move(hypothesis, Phase.QUARANTINED)
            elif event.step is Step.RELEASE:
                self._move(hypothesis, Phase.WAITING if self._current(hypothesis) else Phase.STALE)

    def _current(self, hypothesis: Hypothesis) -> bool:
        return hypothesis.registered.incumbent == self.incumbent.candidate.id

    def _group_dispatched(self, event: GroupDispatched) -> None:
        plan = event.plan
        self.dispatched += 1
        self.in_flight[plan.id] = self._plans[plan.id] = plan
        self.spending.dispatched(event)
        self.alarm_signals.sent(event)
        self.elapsed = max(self.elapsed, event.elapsed)
        if plan.purpose is Purpose.CONFIRM:
            one = self.hypotheses[plan.subject]
            one.judged = max(one.judged, len(one.pairs()))
        elif plan.purpose is Purpose.FOLLOW_UP:
            further = self.hypotheses[plan.subject].follow_ups[plan.attempt - 1]
            further.judged = max(further.judged, len(further.pairs()))

    def _trial_finished(self, event: TrialFinished) -> None:
        plan = self._plans[event.group]
        self.trials += 1
        self._arrived.setdefault(event.group, set()).add(event.member)
        self.cpu_seconds += event.cpu_seconds
        self.elapsed = max(self.elapsed, event.elapsed)
        self.outcomes[event.kind] += 1
        self.follow_up_trials += self.for_follow_up(plan)
        self.spending.finished(event, plan, self.spec.gpus if self.spec else 0)
        self.alarm_signals.finished(event, plan)
        if event.kind is OutcomeKind.SCORED:
            self.prices.add(event, len(plan.members))
        else:
            self.failures.append((event, plan))
        if event.member == len(plan.members) - 1:
            self._land(plan)
        if event.kind is OutcomeKind.LOST and self.lost_trials.again(event, plan):
            return
        self._file(event, plan, plan.members[event.member].index)

    def _land(self, plan: Plan) -> None:
        """A group is complete. Plans of sweeps are let go: millions of trials must not weigh on the state."""
        self.in_flight.pop(plan.id, None)
        self.spending.landed(plan.id)
        self._arrived.pop(plan.id, None)
        if plan.purpose is Purpose.SCREEN:
            self._plans.pop(plan.id, None)

    def arrived(self, group: str) -> Set[int]:
        """Members of a group in flight whose outcomes are in."""
        return self._arrived.get(group, frozenset())

    def _file(self, event: TrialFinished, plan: Plan, index: int) -> None:
        if plan.purpose is Purpose.SCREEN:
            assert self.spec
            number = self.spec.tuning.index(plan.members[event.member].setting)
            self.sweeps[plan.candidate.id][number, index] = event
            self.sweep_costs.setdefault(plan.candidate.id, SweepCost()).add(event)
        elif plan.purpose is Purpose.CALIBRATE:
            self.calibration.setdefault(plan.candidate.id, {})[index] = event
        elif plan.purpose is Purpose.FOLLOW_UP:
            self.hypotheses[plan.subject].follow_ups[plan.attempt - 1].runs[plan.side][index] = event
        elif (hypothesis := self.hypotheses[plan.subject]).attempt == plan.attempt:
            hypothesis.runs[plan.side][index] = event

    def _rung_closed(self, event: RungClosed) -> None:
        assert self.spec
        self.rungs[event.candidate] = event
        if event.score is not None:
            bisect.insort(self.rung_scores, event.score if self.spec.higher_is_better else -event.score)

    def _candidate_tuned(self, event: CandidateTuned) -> None:
        self.tuned[event.candidate] = event
        self.sweeps[event.candidate] = {}
        for hypothesis in self.open_hypotheses(Phase.SCREENING):
            if hypothesis.candidate.id == event.candidate:
                self._settle_screening(hypothesis)
        self._weigh_again(event.candidate)

    def _weigh_again(self, candidate: str) -> None:
        """The level of a candidate has become known: if it is the incumbent's, see who beats it."""
        if candidate == self.incumbent.candidate.id:
            for hypothesis in self.open_hypotheses(Phase.WAITING):
                self._move(hypothesis, Phase.WAITING)

    def _settle_screening(self, hypothesis: Hypothesis) -> None:
        if tuned := self.tuned.get(hypothesis.candidate.id):
            fit = Phase.WAITING if self._current(hypothesis) else Phase.STALE
            self._move(hypothesis, Phase.FAILED if tuned.score is None else fit)
            self.screened.append(hypothesis)
            self.screened_against[hypothesis.registered.incumbent] += 1
            self.alarm_signals.screened(self, hypothesis)

    def _scale_measured(self, event: ScaleMeasured) -> None:
        self.scales[event.candidate] = event
        self.alarm_signals.measured()
        self._weigh_again(event.candidate)

    def _confirmation_opened(self, event: ConfirmationOpened) -> None:
        hypothesis = self.hypotheses[event.hypothesis]
        self._move(hypothesis, Phase.CONFIRMING)
        self.promoted_against[event.incumbent.id] += event.attempt == 1
        self.exploratory.pop(hypothesis.id, None)
        self.requested.pop(hypothesis.id, None)
        hypothesis.rule, hypothesis.judged = event, 0
        hypothesis.runs = no_runs()
        self.account = Account(event.cash, self.account.discoveries, event.position)

    def _verdict_reached(self, event: VerdictReached) -> None:
        hypothesis = self.hypotheses[event.hypothesis]
        hypothesis.verdict = event
        self._move(hypothesis, Phase.ESTIMATING if event.verdict is Verdict.SUPPORTED else Phase.CLOSED)
        self.alarm_signals.judged(event)
        if hypothesis.nearly:
            self.exploratory[hypothesis.id] = hypothesis
        if event.verdict is not Verdict.SUPPORTED:
            for run in (run for runs in hypothesis.runs.values() for run in runs.values()):
                if run.group not in self.in_flight:
                    self._plans.pop(run.group, None)
        self.account = Account(event.cash, event.discoveries, self.account.opened)

    def _finding_recorded(self, event: FindingRecorded) -> None:
        hypothesis = self.hypotheses[event.hypothesis]
        hypothesis.finding = event
        self.findings.append(hypothesis)
        self._move(hypothesis, Phase.CLOSED)

    def _follow_up_opened(self, event: FollowUpOpened) -> None:
        self.following = self.hypotheses[event.hypothesis]
        self.following.follow_ups.append(further := FollowUp(event))
        if further.paid:
            self.account = Account(event.rule.cash, self.account.discoveries, event.rule.position)

    def _follow_up_closed(self, event: FollowUpClosed) -> None:
        further = self.hypotheses[event.hypothesis].follow_ups[event.attempt - 1]
        further.closed = event
        self.following = None
        if further.paid:
            self.account = Account(event.cash, event.discoveries, self.account.opened)

    def _incumbent_changed(self, event: IncumbentChanged) -> None:
        self.incumbents.append(event)
        self._crowned.pop(event.candidate.id, None)
        if event.hypothesis:
            self._crowned[event.candidate.id] = self.hypotheses[event.hypothesis]
        self.requested.clear()
        for hypothesis in self.open_hypotheses(Phase.WAITING):
            self._move(hypothesis, Phase.STALE)
        self.candidates[event.candidate.id] = event.candidate
        self.sweeps.setdefault(event.candidate.id, {})


_HANDLERS: dict[type, Callable[[CampaignState, Any], None]] = {**PARTS} | {
    event_type: getattr(CampaignState, f"_{kind}")
    for kind, event_type in EVENT_TYPES.items()
    if event_type not in PARTS
}


def fold(events: Iterable[Event]) -> CampaignState:
    """The state after `events`, from nothing."""
    state = CampaignState()
    for event in events:
        state.apply(event)
    return state
