"""The state of a lab: a fold of its events. Restarting is folding; nothing else is remembered.

A State is built by `apply` alone. Stages and faces read it and never change it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Set
from itertools import takewhile

from novum.core.events.campaign import (
    IncumbentChanged,
    PreflightRecorded,
    Provenance,
)
from novum.core.events.event import Event
from novum.core.events.proposals import (
    ProposalMade,
)
from novum.core.events.trials import CandidateTuned, RungClosed, ScaleMeasured, TrialFinished
from novum.core.events.verdicts import AblationPlanned, ConfirmationOpened
from novum.core.model.arena_spec import ArenaSpec, one_distribution
from novum.core.model.budget import Budget, Spent
from novum.core.model.candidate import Candidate
from novum.core.model.metric import gain
from novum.core.model.study import Study
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose
from novum.core.model.verdict import Account
from novum.core.state.alarm_signals import AlarmSignals
from novum.core.state.arm import Arm
from novum.core.state.confirmation_queue import ConfirmationQueue
from novum.core.state.holdout_queries import HoldoutQueries
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.core.state.interventions import InterventionLog
from novum.core.state.learning_curves import LearningCurves
from novum.core.state.machine_log import MachineLog
from novum.core.state.requests import RequestLog
from novum.core.state.spending import Spending
from novum.core.state.spread import Spread
from novum.core.state.trial_costs import LostTrials, SweepCost, TrialPrices

LONG, SHORTEST = 2.0, 0.02
"""Seconds of compute of a trial: from the first on a few say what a candidate costs, below the second they say nothing.
"""
RATIO_DOUBT, RATIO_DOUBT_SHORT = 1.02, 1.15
"""By this factor the compute of a few screening trials may be larger than that of a confirmation's pairs; the second
one is for trials that are not long."""

Sweep = dict[tuple[int, int], TrialFinished]
"""Screening runs of a candidate by (number of the tuning setting, number of the search seed)."""


class CampaignState:
    """What a lab knows. Attributes are for reading; only the projections of `novum.core.state.fold` write."""

    study: Study
    spec: ArenaSpec
    """This and `study`: there as soon as the campaign is `opened`, by the first event."""

    def __init__(self) -> None:
        self.opened = False
        self.revision = 0
        """How many events are in it."""
        self.changed: dict[type[Event], int] = {}
        """The revision at which an event of a kind came last."""
        self.code = ""
        self.public_key = ""
        self.secret_commitment = ""
        self.session = self.schema = 0
        self.session_open = False
        self.budget = Budget()
        self.workers = 0
        self.provenance = Provenance()
        self.end_reason = ""
        self.elapsed = self.earlier_sessions = 0.0
        self.preflight: PreflightRecorded | None = None
        self.set_aside = Spent()
        self.pending: list[ProposalMade] = []
        self.proposals = self.refused = self.refused_in_a_row = 0
        self.hypotheses: dict[str, Hypothesis] = {}
        self.by_phase: dict[Phase, dict[str, Hypothesis]] = {phase: {} for phase in Phase}
        self.screening_of: dict[str, dict[str, int]] = {}
        """Hypotheses that are being screened, by their candidate, with the revision at which each was registered."""
        self.screened: list[Hypothesis] = []
        self.confirmation_queue = ConfirmationQueue()
        self.tried_against: dict[str, set[str]] = {}
        self.screened_against: Counter[str] = Counter()
        self.promoted_against: Counter[str] = Counter()
        self.incumbents: list[IncumbentChanged] = []
        self.candidates: dict[str, Candidate] = {}
        self._nothing_swept()
        self.calibration: dict[str, dict[int, TrialFinished]] = {}
        self.scales: dict[str, ScaleMeasured] = {}
        self.account = Account()
        self.planned_for: Budget | None = None
        """The budget that the evidence was planned for last."""
        self.distilled: set[str] = set()
        """Candidates that were proposed as the smaller form of a finding."""
        self.spreads: dict[str, Spread] = {}
        self.arms: dict[str, Arm] = {}
        self.later_runs: dict[str, list[TrialFinished]] = {}
        """Runs of a finding's candidate on fresh seeds since it was recorded, by hypothesis."""
        self.in_flight: dict[str, Plan] = {}
        self.in_flight_for: dict[str, dict[str, Plan]] = {}
        """The same by whom they serve."""
        self.machines = MachineLog()
        self.plans: dict[str, Plan] = {}
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
        self.promoted_by: dict[str, Hypothesis] = {}
        self.trials, self.cpu_seconds = 0, 0.0
        self.outcomes: Counter[OutcomeKind] = Counter()
        self.arrived_members: dict[str, set[int]] = {}
        self.sweep_costs: dict[str, SweepCost] = {}
        self.learning_curves = LearningCurves()
        self.remarks: dict[str, str] = {}
        self.failures: list[tuple[TrialFinished, Plan]] = []
        self.lost_trials, self.prices = LostTrials(), TrialPrices()

    def __repr__(self) -> str:
        if not self.opened:
            return "<a campaign that was not opened>"
        counts = f"{len(self.hypotheses)} hypotheses, {self.trials} trials, {self.account.discoveries} supported"
        return f"<campaign {self.study.name}, {'running' if self.session_open else 'stopped'}: {counts}>"

    def _nothing_swept(self) -> None:
        """No candidate has had a run of its sweep."""
        self.sweeps: dict[str, Sweep] = {}
        self.sweep_scores: dict[str, dict[tuple[int, int], float | None]] = {}
        """Scores of a tuned candidate's sweep, by number of the setting and of the seed."""
        self.sweep_others: dict[str, dict[str, float]] = {}
        """Further metrics of a tuned candidate: means over the runs at its best setting, where the spec has any."""
        self.swept_at: dict[str, int] = {}
        """The revision at which what a candidate's sweep lacks may have changed last, the latest at the end; that of ""
        stands for all candidates."""
        self.rungs: dict[str, RungClosed] = {}
        self.rung_scores: list[float] = []
        self.tuned: dict[str, CandidateTuned] = {}

    def sent_for(self, subject: str) -> list[Plan]:
        """Groups in flight for a candidate or a hypothesis."""
        return list(self.in_flight_for.get(subject, {}).values())

    def nothing_in_flight(self) -> None:
        """A session is over, or begins: whatever was in flight will not come."""
        self.in_flight.clear()
        self.in_flight_for.clear()

    def screening_among(self, candidates: Iterable[str]) -> list[Hypothesis]:
        """Hypotheses about these candidates that are being screened, in the order of their registration."""
        found = [entry for one in candidates for entry in self.screening_of.get(one, {}).items()]
        return [self.hypotheses[name] for name, _ in sorted(found, key=lambda entry: entry[1])]

    def sweep_changed(self, candidate: str = "") -> None:
        """What the sweep of a candidate lacks may be something else after this event; of all of them by default."""
        self.swept_at.pop(candidate, None)
        self.swept_at[candidate] = self.revision + 1

    def sweeps_changed_since(self, revision: int) -> set[str]:
        """Candidates whose sweeps may lack something else than they did at a revision; with "" all may."""
        newest = ((name, at) for name, at in reversed(self.swept_at.items()))
        return {name for name, _ in takewhile(lambda one: one[1] > revision, newest)}

    @property
    def incumbent(self) -> IncumbentChanged:
        """The candidate to beat."""
        return self.incumbents[-1]

    @property
    def wall_seconds(self) -> float:
        """Wall time of all sessions, each by its own monotonic clock."""
        return self.earlier_sessions + self.elapsed

    def open_hypotheses(self, *phases: Phase) -> list[Hypothesis]:
        """Hypotheses in any of the phases, phase by phase, in the order in which they entered it."""
        return [hypothesis for phase in phases for hypothesis in self.by_phase[phase].values()]

    def plan(self, group: str) -> Plan:
        """The plan of a group that is in flight, or that was more than a sweep. Raises KeyError."""
        return self.plans[group]

    def members(self, rule: ConfirmationOpened) -> list[Hypothesis]:
        """Hypotheses that are, or were, confirmed on the same fresh seeds."""
        names = self.arms[rule.arm].members if rule.arm else [rule.hypothesis]
        known = [self.hypotheses[name] for name in names]
        return [one for one in known if one.rule and one.rule.arm == rule.arm]

    def discoveries_for(self, rule: ConfirmationOpened) -> int:
        """The acceptances that a confirmation's threshold allows for: those before its present block."""
        return self.arms[rule.arm].discoveries if rule.arm else self.account.discoveries

    def count(self, phase: Phase) -> int:
        """How many hypotheses are in a phase."""
        return len(self.by_phase[phase])

    def known(self, incumbent: str) -> Set[str]:
        """Candidates that are registered against an incumbent, and that incumbent itself."""
        return self.tried_against.get(incumbent, frozenset({incumbent}))

    def gain(self, candidate: str, incumbent: str) -> float | None:
        """Gain in the screening score over the level of another candidate, better is positive; None if unknown.

        That level is the mean of its fresh runs where there is one (an incumbent's own screening score is a lucky
        one, or it would not have been promoted) and they are of the same distribution, else its screening score on the
        same search seeds.
        """
        mine, other = self.tuned.get(candidate), self.level(incumbent)
        if mine is None or mine.score is None or other is None:
            return None
        return gain(mine.score, other, higher_is_better=self.spec.higher_is_better, log=self.spec.log)

    @property
    def calibration_runs(self) -> int:
        """A/A runs of an incumbent before the first confirmation against it.

        A test without a scale needs little of them, and the runs of its sweep count where they are of the same kind.
        """
        wanted = self.study.gate.calibration_runs
        return max(1, wanted - self.study.screening.seeds) if self._sweeps_are_runs else wanted

    def noise_scores(self, candidate: str) -> list[float | None]:
        """Scores of a candidate's A/A runs in the order of their seeds, after those of its sweep where these count."""
        runs = self.calibration.get(candidate, {})
        found = [runs[index].score for index in sorted(runs)]
        if len(found) >= self.study.gate.calibration_runs or not self._sweeps_are_runs:
            return found
        return [score for _, score in sorted(self.sweep_scores.get(candidate, {}).items())] + found

    @property
    def _sweeps_are_runs(self) -> bool:
        one_kind = len(self.spec.tuning) == 1 and self.study.screening.fidelity == 1.0
        plain = one_kind and one_distribution(self.spec) and not self.spec.metrics
        return plain and self.study.gate.process == "scale-free"

    def level(self, candidate: str) -> float | None:
        """What screening gains are held against: see `gain`; None while it is not known."""
        if candidate in self.scales and self.study.screening.fidelity == 1.0 and one_distribution(self.spec):
            return self.scales[candidate].mean
        tuned = self.tuned.get(candidate)
        return tuned.score if tuned else None

    def advantage(self, hypothesis: Hypothesis) -> float | None:
        """Screening gain of a hypothesis over its registered incumbent, and over what it may lose against that."""
        gain = self.gain(hypothesis.candidate.id, hypothesis.registered.incumbent)
        return None if gain is None else gain - min(0.0, hypothesis.registered.delta)

    def for_follow_up(self, plan: Plan) -> bool:
        """Whether a plan counts towards the share of the follow-ups: their pairs, and the sweeps of their rivals."""
        return plan.purpose is Purpose.FOLLOW_UP or (
            plan.purpose is Purpose.SCREEN and plan.candidate.id in self.rivals
        )

    def swept(self, candidate: str) -> bool:
        """Whether a candidate has had its whole sweep, as incumbents have."""
        return candidate in self.tuned and self.tuned[candidate].seeds >= self.study.screening.seeds

    def arrived(self, group: str) -> Set[int]:
        """Members of a group in flight whose outcomes are in."""
        return self.arrived_members.get(group, frozenset())

    def is_promising(self, hypothesis: Hypothesis) -> bool:
        """Whether screening leaves room for an improvement: no more than one standard error below the incumbent.

        What its runs have cost must leave room for a claim at equal compute.
        """
        candidate, incumbent = hypothesis.candidate.id, hypothesis.registered.incumbent
        ratio, limit = self.compute_ratio(candidate, incumbent), self.compute_limit(incumbent)
        if (ratio is not None and limit is not None and ratio > limit) or not self.swept(candidate):
            return False
        gain, scale = self.advantage(hypothesis), self.scales.get(hypothesis.registered.incumbent)
        doubt = scale.sigma / math.sqrt(2 * self.study.screening.seeds) if scale else 0.0
        return gain is not None and gain > -doubt

    def compute_ratio(self, candidate: str, incumbent: str) -> float | None:
        """Compute of a screening trial of one candidate over that of another; None where too little is known.

        Each is taken relative to the trials around it, since the two ran at different times.
        """
        mine, other = (self.sweep_costs.get(one, SweepCost()) for one in (candidate, incumbent))
        if not mine.trials or mine.stopped or not other.relative or other.each < SHORTEST:
            return None
        return (mine.relative / mine.trials) / (other.relative / other.trials)

    def compute_limit(self, incumbent: str) -> float | None:
        """The ratio above which a candidate clearly takes more than a claim at equal compute allows, if one is held."""
        limit = self.study.gate.compute_limit
        long = self.sweep_costs.get(incumbent, SweepCost()).each >= LONG
        return None if limit is None else limit * (RATIO_DOUBT if long else RATIO_DOUBT_SHORT)

    def doubt(self, hypothesis: Hypothesis) -> float:
        """Standard error of a screening gain, by the noise of the incumbent; 0 while that is not known."""
        scale, tuned = self.scales.get(hypothesis.registered.incumbent), self.tuned.get(hypothesis.candidate.id)
        return scale.sigma / math.sqrt(2 * max(1, tuned.seeds)) if scale and tuned else 0.0

    def screened_since(self, hypothesis: Hypothesis, most: int) -> int:
        """How many candidates were screened after a hypothesis, counted up to `most`."""
        count = 0
        for other in reversed(self.screened):
            if other is hypothesis or count >= most:
                break
            count += not self.is_renewed(other)
        return count

    def is_renewed(self, hypothesis: Hypothesis) -> bool:
        """Whether it claims anew, against another incumbent, what an earlier hypothesis had claimed."""
        parents = hypothesis.registered.parents
        old = self.hypotheses.get(parents[0]) if len(parents) == 1 else None
        return old is not None and old.registered.number == hypothesis.registered.number

    @property
    def cpu_seconds_in_all(self) -> float:
        """Of trials, and of searches outside the record."""
        return self.cpu_seconds + self.spending.lab.cpu_seconds

    @property
    def spent(self) -> Spent:
        """What has been used, preflights included, with what is set aside for work in flight."""
        aside, extra = self.set_aside, self.spending.lab
        done = Spent(
            self.trials + aside.trials,
            self.cpu_seconds_in_all + aside.cpu_seconds,
            self.wall_seconds,
            self.request_log.all_tokens,
            self.request_log.all_money,
            extra.gpu_seconds,
            extra.disk_bytes,
            extra.holdout_queries,
        )
        return done + self.spending.in_flight if self.in_flight else done
