"""A running campaign at a glance, for the terminal and for `novum status`."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.events.oversight import Intervened
from novum.core.model.candidate import Genome
from novum.core.model.trial_plan import Purpose, Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.gate.judge import BettingGate
from novum.text.format import written
from novum.views.hypothesis_status import hypothesis_status

LAST_INTERVENTIONS = 3
"""How many of the watchdog's interventions are shown."""


@dataclass(frozen=True, slots=True)
class Confirming:
    """A hypothesis under confirmation: E against its threshold after `pairs` pairs; estimating once it has won."""

    id: str
    change: str
    e_value: float
    threshold: float
    against: float
    pairs: int
    estimating: bool


@dataclass(frozen=True, slots=True)
class Verdictline:
    """A verdict or a failure, in one line."""

    id: str
    change: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a campaign has used, what it is doing, and what it has found."""

    study: str
    question: str
    running: bool
    reason: str
    trials: int
    cpu_seconds: float
    wall_seconds: float
    trial_budget: int | None
    cpu_budget: float | None
    wall_budget: float | None
    workers: int
    in_flight: dict[str, int]
    screening: list[str]
    waiting: int
    screened: int
    confirming: list[Confirming]
    incumbent: Genome
    incumbent_origin: str
    cash: float
    discoveries: int
    verdicts: list[Verdictline]
    failures: dict[str, int]
    interventions: list[str]


def progress(state: CampaignState, wall_seconds: float | None = None, last: int = 6) -> Progress:
    """The progress of a campaign with the `last` verdicts; `wall_seconds` when somebody has a later clock."""
    gate = BettingGate(state.study.gate)
    purposes = [plan.purpose for plan in state.in_flight.values()]
    return Progress(
        study=state.study.name,
        question=state.study.question or state.spec.question,
        running=state.session_open,
        reason=state.end_reason,
        trials=state.trials,
        cpu_seconds=state.cpu_seconds,
        wall_seconds=state.wall_seconds if wall_seconds is None else wall_seconds,
        trial_budget=state.budget.trials,
        cpu_budget=state.budget.cpu_seconds,
        wall_budget=state.budget.wall_seconds,
        workers=state.workers,
        in_flight={str(purpose): purposes.count(purpose) for purpose in Purpose if purpose in purposes},
        screening=[change(state, h) for h in state.open_hypotheses(Phase.SCREENING)],
        waiting=state.count(Phase.WAITING),
        screened=len(state.screened),
        confirming=[_confirming(state, gate, h) for h in state.open_hypotheses(Phase.CONFIRMING, Phase.ESTIMATING)],
        incumbent=dict(state.incumbent.candidate.genome),
        incumbent_origin=state.incumbent.hypothesis or "baseline",
        cash=state.account.cash,
        discoveries=state.account.discoveries,
        verdicts=_verdicts(state, last),
        failures={str(kind): n for kind, n in sorted(state.outcomes.items()) if kind != "scored"},
        interventions=[intervention(one) for one in state.intervention_log.latest[-LAST_INTERVENTIONS:]],
    )


def intervention(event: Intervened) -> str:
    """What the watchdog did, in a line."""
    return f"{event.alarm.replace('_', ' ')}: {event.words}"


def change(state: CampaignState, hypothesis: Hypothesis) -> str:
    """How the candidate differs from its incumbent, gene by gene."""
    mine = hypothesis.candidate.genome
    other = state.candidates[hypothesis.registered.incumbent].genome
    parts = [f"{name}={written(value)}" for name, value in mine.items() if other.get(name) != value]
    return " ".join(parts) or "no difference"


def _confirming(state: CampaignState, gate: BettingGate, hypothesis: Hypothesis) -> Confirming:
    rule, verdict = hypothesis.rule, hypothesis.verdict
    assert rule
    if hypothesis.phase is Phase.ESTIMATING and verdict:
        fresh = len(hypothesis.runs[Side.CANDIDATE]) - verdict.pairs
        return Confirming(
            hypothesis.id, change(state, hypothesis), verdict.e_value, verdict.threshold, verdict.against, fresh, True
        )
    now = gate.judge(rule, hypothesis.pairs(), hypothesis.judged, state.account.discoveries)
    return Confirming(
        hypothesis.id, change(state, hypothesis), now.e_value, now.threshold, now.against, now.pairs, False
    )


def _verdicts(state: CampaignState, last: int) -> list[Verdictline]:
    judged = [h for h in state.hypotheses.values() if h.verdict or h.phase is Phase.FAILED]
    lines = []
    for hypothesis in judged[-last:]:
        now = hypothesis_status(state, hypothesis)
        lines.append(Verdictline(hypothesis.id, change(state, hypothesis), now.outcome, now.reason))
    return lines
