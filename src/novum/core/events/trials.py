"""Events of trials: groups sent, outcomes, and what screening and calibration conclude from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novum.core.events.event import Event, Known, event
from novum.core.model.candidate import Setting, genome_text
from novum.core.model.run_progress import Curve
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Plan, Purpose, purpose_text
from novum.text.format import counted, number


@event("group_dispatched", casual=True)
@dataclass(frozen=True, slots=True)
class GroupDispatched(Event):
    """A trial group left for a worker. `elapsed` seconds of the session."""

    plan: Plan
    session: int
    elapsed: float
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    """This and `cpu_seconds`: set aside for it, and all that it may use."""
    capped: bool = False
    """Whether that is less than the study's own limits allow, so that a group which is ended for it says nothing of its
    candidate."""

    def subjects(self, known: Known) -> set[str]:
        return {self.plan.id, self.plan.subject}

    def introduce(self, known: Known) -> None:
        known.plans[self.plan.id] = self.plan

    def sentence(self, known: Known) -> str:
        plan = self.plan
        under = f", with {genome_text(plan.options)}" if plan.options else ""
        return f"{plan.id}: {counted(len(plan.members), 'trial')} to {purpose_text(plan)}{under}"


@event("trial_finished", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class TrialFinished(Event):
    """The typed outcome of one trial, with the share of its group's resources."""

    trial: str
    group: str
    member: int
    kind: OutcomeKind
    score: float | None
    cause: str
    artefact: str | None
    """What was scored, as "sha256:..." (a blob) or "hex:..." (short ones). wall and elapsed in seconds."""
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    elapsed: float
    facts: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=dict)
    """The spec's further metrics."""
    stored_bytes: int = 0
    """What its artefact added to the lab's directory."""
    curve: Curve = ()
    """Seconds of compute and value of each reading of its progress, where the program shows any."""
    remarks: str = ""
    """What its scorer, or the run itself, says to whoever proposes next; of screening trials alone."""

    def subjects(self, known: Known) -> set[str]:
        plan = known.plans.get(self.group)
        return {self.trial, self.group, plan.subject if plan else self.group}

    def sentence(self, known: Known) -> str:
        plan = known.plans.get(self.group)
        served = f" ({purpose_text(plan)}, seed {plan.members[self.member].index})" if plan else ""
        if self.kind is OutcomeKind.SCORED:
            return f"{self.trial}{served}: {number(self.score)}"
        return f"{self.trial}{served} {self.kind}: {self.cause or 'no cause given'}"


@event("late_report", actor="executor", casual=True)
@dataclass(frozen=True, slots=True)
class LateReport(Event):
    """A group reported after its outcomes were in: it had been given up as lost. Recorded, and never counted twice."""

    group: str
    kinds: tuple[OutcomeKind, ...]
    """How its trials ended this time. What it cost counts as spent."""
    cpu_seconds: float
    elapsed: float

    def sentence(self, known: Known) -> str:
        return f"{self.group} reported after it was given up: {counted(len(self.kinds), 'trial')}, not counted"


@event("rung_closed", casual=True)
@dataclass(frozen=True, slots=True)
class RungClosed(Event):
    """A candidate's first rung is complete."""

    candidate: str
    score: float | None
    """Its best setting's mean, None without one."""
    advanced: bool
    """It goes on."""

    def subjects(self, known: Known) -> set[str]:
        return {self.candidate}

    def sentence(self, known: Known) -> str:
        return f"candidate {self.candidate}: {number(self.score)}, {'goes on' if self.advanced else 'stays behind'}"


@event("candidate_tuned", casual=True)
@dataclass(frozen=True, slots=True)
class CandidateTuned(Event):
    """The sweep over the tuning settings is complete; the best setting is frozen for everything that follows."""

    candidate: str
    setting: Setting
    score: float | None
    """Mean over the search seeds at the best setting, None when no setting gave a score on every seed."""
    scores: tuple[float | None, ...]
    """The mean of each setting, in the order of the spec's tuning list."""
    seeds: int
    """Behind each mean; fewer than the study's for a candidate that did not get past the first rung."""

    def subjects(self, known: Known) -> set[str]:
        return {self.candidate}

    def sentence(self, known: Known) -> str:
        setting = f" at {genome_text(self.setting)}" if self.setting else ""
        score = "no setting gave a score" if self.score is None else number(self.score)
        return f"candidate {self.candidate}: {score}{setting} ({counted(self.seeds, 'seed')})"


@event("scale_measured")
@dataclass(frozen=True, slots=True)
class ScaleMeasured(Event):
    """The incumbent's noise and level from runs on different seeds (A/A), in metric units."""

    candidate: str
    sigma: float
    """Standard deviation of the difference of two runs."""
    mean: float
    """Of the runs, free of the luck of the search seeds."""
    pairs: int
    source: Purpose
    """Calibrate (A/A pairs of their own) or confirm (the fresh runs of a candidate that became incumbent)."""
    key: str | None
    """The seed key of the calibration runs, revealed; None for the other source."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Sigma of further metrics."""

    def subjects(self, known: Known) -> set[str]:
        return {self.candidate}

    def sentence(self, known: Known) -> str:
        return (
            f"candidate {self.candidate}: sigma {number(self.sigma)} around {number(self.mean)} "
            f"({counted(self.pairs, 'pair')}, {self.source})"
        )
