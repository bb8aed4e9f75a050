"""A running campaign at a glance, for the terminal and for `novum status`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from novum.core.events.oversight import Intervened
from novum.core.model.candidate import Genome
from novum.core.model.trial import OutcomeKind
from novum.core.model.trial_plan import Purpose, Side, purpose_text
from novum.core.model.verdict import Verdict
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase
from novum.gate.judge import BettingGate
from novum.sandbox.live_readings import LiveReading
from novum.text.format import written
from novum.views.candidate_changes import candidate_words, change_words, is_program
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
class NextInLine:
    """The best of those that wait for a confirmation."""

    id: str
    gain: float
    """In screening, in metric units or, for metrics compared by ratio, natural-log units; better is positive."""
    waits_for: str


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial that runs at this moment: what it is for, CPU seconds so far, and the latest reading of its progress."""

    id: str
    purpose: str
    cpu_seconds: float
    value: float


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
    running_trials: list[RunningTrial]
    """Those that have shown their progress."""
    ended_early: int
    """Screening runs whose progress was hopeless."""
    screening: list[str]
    waiting: int
    screened: int
    confirming: list[Confirming]
    incumbent: Genome
    incumbent_words: str
    """Its genes or, for a program, what it changes in the baseline."""
    incumbent_origin: str
    cash: float
    discoveries: int
    verdicts: list[Verdictline]
    failures: dict[str, int]
    interventions: list[str]
    metric: str
    baseline_level: float | None
    """Mean score of the baseline, of fresh runs where it has some."""
    incumbent_level: float | None
    """The same of the incumbent."""
    next_in_line: NextInLine | None
    paused: bool
    """Whether somebody has asked to begin nothing new."""
    next_verdict_seconds: float | None
    """About how long the next verdict takes at most, at the present pace; None while nothing is confirmed."""


def progress(
    state: CampaignState,
    wall_seconds: float | None = None,
    last: int = 6,
    live: Mapping[str, LiveReading] | None = None,
) -> Progress:
    """The progress of a campaign with the `last` verdicts; `wall_seconds` when somebody has a later clock.

    live: the latest readings of running trials, where these are known.
    """
    gate = BettingGate(state.study.gate)
    purposes = [plan.purpose for plan in state.in_flight.values()]
    return Progress(
        study=state.study.name,
        question=state.study.question or state.spec.question,
        running=state.session_open,
        reason=state.end_reason,
        trials=state.trials,
        cpu_seconds=state.cpu_seconds_in_all,
        wall_seconds=state.wall_seconds if wall_seconds is None else wall_seconds,
        trial_budget=state.budget.trials,
        cpu_budget=state.budget.cpu_seconds,
        wall_budget=state.budget.wall_seconds,
        workers=_workers(state),
        in_flight={str(purpose): purposes.count(purpose) for purpose in Purpose if purpose in purposes},
        running_trials=_running(state, live or {}),
        ended_early=state.outcomes[OutcomeKind.STOPPED],
        screening=[change(state, h) for h in state.open_hypotheses(Phase.SCREENING)],
        waiting=state.count(Phase.WAITING),
        screened=len(state.screened),
        confirming=[_confirming(state, gate, h) for h in state.open_hypotheses(Phase.CONFIRMING, Phase.ESTIMATING)],
        incumbent=dict(state.incumbent.candidate.genome),
        incumbent_words=candidate_words(state.study, state.incumbent.candidate.genome),
        incumbent_origin=state.incumbent.hypothesis or "baseline",
        cash=state.account.cash,
        discoveries=state.account.discoveries,
        verdicts=_verdicts(state, last),
        failures={str(kind): n for kind, n in sorted(state.outcomes.items()) if kind not in ("scored", "stopped")},
        interventions=[intervention(one) for one in state.intervention_log.latest[-LAST_INTERVENTIONS:]],
        metric=state.spec.metric,
        baseline_level=state.level(state.incumbents[0].candidate.id) if state.incumbents else None,
        incumbent_level=state.level(state.incumbent.candidate.id) if state.incumbents else None,
        next_in_line=_next_in_line(state),
        paused=state.request_log.paused,
        next_verdict_seconds=_next_verdict(state, gate),
    )


def _running(state: CampaignState, live: Mapping[str, LiveReading]) -> list[RunningTrial]:
    known = {name: (one, state.in_flight.get(name.partition(".")[0])) for name, one in live.items()}
    return [
        RunningTrial(name, purpose_text(plan), one.cpu_seconds, one.value)
        for name, (one, plan) in known.items()
        if plan is not None
    ]


def _next_in_line(state: CampaignState) -> NextInLine | None:
    best = state.confirmation_queue.best
    gain = state.advantage(best) if best else None
    if best is None or gain is None:
        return None
    most = max(1, _workers(state) // 2)
    missing = to_be_screened(state)
    if state.count(Phase.CONFIRMING) >= most:
        waits_for = "a verdict on what is being confirmed"
    elif state.incumbent.candidate.id not in state.scales:
        waits_for = "the noise of the incumbent"
    else:
        waits_for = f"{missing} more to be screened, or a free worker" if missing > 0 else "its turn"
    return NextInLine(best.id, gain, waits_for)


def to_be_screened(state: CampaignState) -> int:
    """How many more hypotheses must be screened before the best that waits is due, if none of them is better."""
    incumbent, patience = state.incumbent.candidate.id, state.study.screening.patience
    if patience:
        best = state.confirmation_queue.best
        return patience - (state.screened_since(best, patience) if best else 0)
    wanted = state.study.screening.keep_one_in * (state.promoted_against[incumbent] + 1)
    return max(0, wanted - state.screened_against[incumbent])


def _next_verdict(state: CampaignState, gate: BettingGate) -> float | None:
    """Seconds to the threshold at the growth so far, and to the last pair at most; the soonest of all open ones."""
    hypotheses = state.open_hypotheses(Phase.CONFIRMING)
    per_pair = 2 * state.prices.usual[1] * len(hypotheses) / max(1, _workers(state))
    left = []
    for one in hypotheses:
        assert one.rule
        now = gate.judge(one.rule, one.pairs(), one.judged, state.account.discoveries)
        most, grown = one.rule.max_pairs - now.pairs, math.log(max(now.e_value, 1e-9))
        needed = now.pairs * (math.log(now.threshold) - grown) / grown if grown > 0 and now.pairs else float(most)
        left.append(max(0.0, min(needed, float(most))))
    return min(left) * per_pair if left else None


def intervention(event: Intervened) -> str:
    """What the watchdog did, in a line."""
    return f"{event.alarm.replace('_', ' ')}: {event.words}"


def change(state: CampaignState, hypothesis: Hypothesis) -> str:
    """How the candidate differs from its incumbent: gene by gene, or by the values and lines of its program."""
    mine = hypothesis.candidate.genome
    other = state.candidates[hypothesis.registered.incumbent].genome
    if is_program(state.study):
        return change_words(state.study, mine, other, 120)
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
    supported = [h for h in judged if h.verdict and h.verdict.verdict is Verdict.SUPPORTED][-last // 2 :]
    others = [h for h in judged if h not in supported][-(last - len(supported)) :] if len(supported) < last else []
    for hypothesis in [h for h in judged if h in supported or h in others]:
        now = hypothesis_status(state, hypothesis)
        lines.append(Verdictline(hypothesis.id, change(state, hypothesis), now.outcome, now.reason))
    return lines


def _workers(state: CampaignState) -> int:
    """How many trial groups can run at once: on the machines that are here, where any has ever joined."""
    machines = state.machines
    return sum(one.machine.slots for one in machines.here.values()) if machines.known else state.workers
