"""Everything the record holds about one name: a hypothesis, a trial or a candidate."""

from __future__ import annotations

from dataclasses import dataclass

from novum.core.model.candidate import ID_DIGITS, Cost, Genome, Setting
from novum.core.model.trial_plan import Side
from novum.core.state.campaign_state import CampaignState
from novum.core.state.finding_grade import grade
from novum.core.state.full_state import FullState
from novum.core.state.hypothesis import Hypothesis
from novum.views.candidate_changes import change_words
from novum.views.candidate_names import BASELINE, INCUMBENT, candidate_of, candidates
from novum.views.finding_views.finding_details import FollowUpLine, GuardLine, Tuning, follow_ups, guardrails, remarked
from novum.views.finding_views.finding_details import tuning as tuning_of
from novum.views.hypothesis_status import hypothesis_status


@dataclass(frozen=True, slots=True)
class PairLine:
    """One confirming or estimating pair; scores in metric units, None for a failed run."""

    seed_index: int
    candidate: float | None
    incumbent: float | None
    used_for: str


@dataclass(frozen=True, slots=True)
class HypothesisDetail:
    """A hypothesis with its claim, its evidence, its pairs, and what the critic remarked before any trial."""

    id: str
    outcome: str
    reason: str
    change: str
    """What the candidate changes in its incumbent."""
    candidate: Genome
    incumbent: Genome
    author: str
    rationale: str
    parents: tuple[str, ...]
    predicted_probability: float
    cost: Cost
    screening_advantage: float | None
    setting: Setting
    e_value: float | None
    threshold: float | None
    against: float | None
    pairs_used: int | None
    effect: float | None
    interval: tuple[float, float] | None
    grade: str
    tuning: Tuning
    guardrails: tuple[GuardLine, ...]
    follow_ups: tuple[FollowUpLine, ...]
    pairs: tuple[PairLine, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialDetail:
    """A trial that failed or was scored."""

    id: str
    outcome: str
    cause: str
    score: float | None
    purpose: str
    subject: str
    change: str
    """What the candidate changes in the baseline."""
    candidate: Genome
    setting: Setting
    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    facts: dict[str, float]
    curve: tuple[tuple[float, float], ...]
    """Seconds of compute (CPU, or wall times GPUs) and value of each reading of its progress."""
    others: dict[str, float]
    session: int
    seed_index: int
    author: str
    parents: tuple[str, ...]
    isolation: str
    novum_code: str
    arena_code: str


@dataclass(frozen=True, slots=True)
class CandidateDetail:
    """A candidate and the hypotheses about it."""

    id: str
    change: str
    """What it changes in the baseline."""
    genome: Genome
    setting: Setting
    screening_score: float | None
    hypotheses: tuple[str, ...]


Detail = HypothesisDetail | TrialDetail | CandidateDetail


def detail(state: FullState, name: str) -> Detail | None:
    """What `name` stands for, or None."""
    if name in state.hypotheses:
        return _hypothesis(state, state.hypotheses[name])
    if name in (BASELINE, INCUMBENT):
        return _candidate(state, candidate_of(state, name))
    known = candidates(state).get(name[:ID_DIGITS])
    return _candidate(state, known.id) if known and name in (known.id, known.digest) else _trial(state, name)


def _hypothesis(state: CampaignState, hypothesis: Hypothesis) -> HypothesisDetail:
    claim, verdict, size = hypothesis.registered, hypothesis.verdict, hypothesis.finding
    now = hypothesis_status(state, hypothesis)
    tuned = state.tuned.get(hypothesis.candidate.id)
    used = verdict.pairs if verdict else len(hypothesis.pairs())
    return HypothesisDetail(
        id=hypothesis.id,
        outcome=now.outcome,
        reason=now.reason,
        change=change_words(state.study, claim.candidate.genome, state.candidates[claim.incumbent].genome, 300),
        candidate=dict(claim.candidate.genome),
        incumbent=dict(state.candidates[claim.incumbent].genome),
        author=claim.author,
        rationale=claim.rationale,
        parents=claim.parents,
        predicted_probability=claim.probability,
        cost=claim.cost,
        screening_advantage=state.advantage(hypothesis),
        setting=dict(tuned.setting) if tuned else {},
        e_value=verdict.e_value if verdict else None,
        threshold=verdict.threshold if verdict else None,
        against=verdict.against if verdict else None,
        pairs_used=used,
        effect=size.effect if size else None,
        interval=size.interval if size else None,
        grade=grade(hypothesis) if size else "",
        tuning=tuning_of(state, hypothesis.candidate.id),
        guardrails=guardrails(hypothesis),
        follow_ups=follow_ups(hypothesis),
        pairs=tuple(_pairs(hypothesis, used)),
        remarks=remarked(state, claim.number),
    )


def _pairs(hypothesis: Hypothesis, used: int) -> list[PairLine]:
    runs, others = hypothesis.runs[Side.CANDIDATE], hypothesis.runs[Side.INCUMBENT]
    return [
        PairLine(index, runs[index].score, others[index].score, "verdict" if index < used else "estimate")
        for index in sorted(set(runs) & set(others))
    ]


def _candidate(state: CampaignState, name: str) -> CandidateDetail:
    tuned = state.tuned.get(name)
    about = tuple(h.id for h in state.hypotheses.values() if h.candidate.id == name)
    genome = dict(candidates(state)[name].genome)
    setting, score = (dict(tuned.setting), tuned.score) if tuned else ({}, None)
    return CandidateDetail(name, _from_baseline(state, genome), genome, setting, score, about)


def _from_baseline(state: CampaignState, genome: Genome) -> str:
    return change_words(state.study, genome, state.incumbents[0].candidate.genome, 300)


def _trial(state: FullState, name: str) -> TrialDetail | None:
    if name not in state.finished:
        return None
    outcome = state.finished[name]
    plan, session = state.plan(outcome.group), state.session_of(outcome.group)
    claim = next((h.registered for h in state.hypotheses.values() if h.candidate.id == plan.candidate.id), None)
    return TrialDetail(
        id=name,
        outcome=outcome.kind,
        cause=outcome.cause,
        score=outcome.score,
        purpose=plan.purpose,
        subject=plan.subject,
        change=_from_baseline(state, plan.candidate.genome),
        candidate=dict(plan.candidate.genome),
        setting=dict(plan.members[outcome.member].setting),
        cpu_seconds=outcome.cpu_seconds,
        wall_seconds=outcome.wall_seconds,
        peak_bytes=outcome.peak_bytes,
        facts=dict(outcome.facts),
        curve=outcome.curve,
        others=dict(outcome.others),
        session=session.session if session else 0,
        seed_index=plan.members[outcome.member].index,
        author=claim.author if claim else "",
        parents=claim.parents if claim else (),
        isolation=session.provenance.isolation if session else "",
        novum_code=session.provenance.novum_code if session else "",
        arena_code=state.code,
    )
