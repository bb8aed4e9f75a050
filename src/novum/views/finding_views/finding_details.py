"""How far a finding goes: its follow-ups, its guardrails, and how hard each side was tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from novum.core.model.candidate import Genome
from novum.core.model.intervention import Alarm, Step
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.open_questions import unasked
from novum.core.state.trial_costs import SweepCost
from novum.views.candidate_changes import change_words


@dataclass(frozen=True, slots=True)
class FollowUpLine:
    """One question to a finding."""

    aim: str
    about: str
    verdict: str
    """Supported, refuted, inconclusive or open; effect in units of `metric`."""
    reason: str
    metric: str
    e_value: float | None
    threshold: float
    n: int
    effect: float | None
    interval: tuple[float, float] | None
    """A confidence sequence at `level` from all `n` pairs, which are fresh."""
    level: float | None


@dataclass(frozen=True, slots=True)
class GuardLine:
    """A guardrail of a finding. margin and mean worsening: factors for metrics compared by ratio, else metric units."""

    metric: str
    margin: float
    worsening: float | None
    e_value: float
    needed: float
    observations: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """What went into the choice of one side's settings: the same sweep for both, unless the record says otherwise."""

    settings: int
    seeds: int
    trials: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Exploratory:
    """A claim with the evidence that a single test would need, short of the campaign's threshold. Not a finding."""

    id: str
    candidate: Genome
    incumbent: Genome
    e_value: float
    threshold: float
    n: int
    reason: str
    change: str
    """What the candidate changes in its incumbent."""


@dataclass(frozen=True, slots=True)
class HoldoutLine:
    """How the final data have been used: queries of all, those left, whether it has closed; a naive one's warning."""

    mechanism: str
    queries: int
    left: int
    closed: bool
    warning: str


def holdout_line(state: CampaignState) -> HoldoutLine | None:
    """The state of the holdout, None where there is none or nothing was found yet."""
    opened = state.holdout.opened
    if opened is None:
        return None
    warned = [one.warning for one in state.holdout.answers.values() if one.warning]
    last = warned[-1] if warned else ""
    return HoldoutLine(opened.mechanism, opened.queries, state.holdout.left, state.holdout.closed is not None, last)


def on_final_data(state: CampaignState, hypothesis: Hypothesis) -> str:
    """What the holdout said of a finding, in words; empty where it was not asked."""
    answer = state.holdout.answers.get(hypothesis.id)
    if answer is None:
        return ""
    told = "" if answer.reported is None else f" (told: {answer.reported:+.3g})"
    return f"{'holds' if answer.held else 'not shown'} on the final data{told}"


def suspicion(state: CampaignState, hypothesis: Hypothesis) -> str:
    """Why the watchdog called a hypothesis too good to be true, in words; empty where it did not."""
    about = (one for one in state.intervention_log.about.get(hypothesis.id, ()) if one.alarm is Alarm.TOO_GOOD)
    return next((one.words for one in about if one.step is not Step.RELEASE), "")


def remarked(state: CampaignState, proposal: int) -> tuple[str, ...]:
    """What the critic remarked on a proposal before any trial of it, a line each; words in it may be anybody's."""
    review = state.intervention_log.reviews.get(proposal)
    return tuple(f"{one.check}: {one.words}" for one in review.remarks) if review else ()


def follow_ups(hypothesis: Hypothesis) -> tuple[FollowUpLine, ...]:
    """The follow-ups of a finding, in the order in which they were asked."""
    lines = []
    for one in hypothesis.follow_ups:
        done = one.closed
        lines.append(
            FollowUpLine(
                aim=one.opened.aim,
                about=one.opened.about,
                verdict=done.verdict if done else "open",
                reason=done.reason if done else f"after {len(one.pairs())} pairs",
                metric=one.rule.metric,
                e_value=done.e_value if done else None,
                threshold=done.threshold if done else one.rule.threshold,
                n=done.pairs if done else len(one.pairs()),
                effect=done.effect if done else None,
                interval=done.interval if done else None,
                level=done.level if done else None,
            )
        )
    return tuple(lines)


def promised(state: CampaignState, hypothesis: Hypothesis) -> tuple[str, ...]:
    """What a finding was promised to be asked and has not been asked yet; nothing more of one that was retracted."""
    return () if hypothesis.retracted else tuple(map(str, unasked(state, hypothesis)))


def guardrails(hypothesis: Hypothesis) -> tuple[GuardLine, ...]:
    """What the guardrails of a judged claim showed."""
    rule, verdict = hypothesis.rule, hypothesis.verdict
    if rule is None or verdict is None:
        return ()
    lines = []
    for guard, seen in zip(rule.guards, verdict.guards, strict=True):
        worse = None if seen.mean is None else -seen.mean
        if guard.log and worse is not None:
            worse = math.exp(worse)
        margin = math.exp(guard.margin) if guard.log else guard.margin
        lines.append(GuardLine(guard.metric, margin, worse, seen.e_value, 1.0 / rule.beta, seen.observations))
    return tuple(lines)


def tuning(state: CampaignState, candidate: str) -> Tuning:
    """The tuning budget that a candidate was given."""
    effort, done = state.sweep_costs.get(candidate, SweepCost()), state.tuned.get(candidate)
    settings = len(state.spec.tuning)
    return Tuning(settings, done.seeds if done else 0, effort.trials, round(effort.cpu_seconds, 4))


def exploratory(state: CampaignState) -> list[Exploratory]:
    """Claims worth another look, the strongest first."""
    found = [
        Exploratory(
            id=one.id,
            candidate=dict(one.rule.candidate.genome),
            incumbent=dict(one.rule.incumbent.genome),
            e_value=one.verdict.e_value,
            threshold=one.verdict.threshold,
            n=one.verdict.pairs,
            reason=one.verdict.reason,
            change=change_words(state.study, one.rule.candidate.genome, one.rule.incumbent.genome, 120),
        )
        for one in state.exploratory.values()
        if one.rule and one.verdict
    ]
    return sorted(found, key=lambda one: -one.e_value / one.threshold)
