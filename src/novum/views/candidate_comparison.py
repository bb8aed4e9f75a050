"""Two candidates side by side, and whatever the record knows of how they compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from novum.core.events.verdicts import ConfirmationOpened, FollowUpClosed, VerdictReached
from novum.core.model.candidate import Cost, Genome, Scalar, Setting
from novum.core.model.errors import UserError
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.views.candidate_changes import changes_of, is_program, parameter_names
from novum.views.candidate_names import candidate_of, candidates
from novum.views.hypothesis_status import hypothesis_status
from novum.views.index.campaign_index import CampaignIndex
from novum.views.index.confirmation_log import Confirmation
from novum.views.index.trial_log import Usage
from novum.views.patches import patch_between


@dataclass(frozen=True, slots=True)
class One:
    """One of two candidates."""

    id: str
    hypotheses: tuple[str, ...]
    genome: Genome
    setting: Setting
    screening_score: float | None
    """Mean over `screening_seeds` search seeds at its best setting."""
    screening_seeds: int
    level: float | None
    """Mean on the fresh seeds behind its scale, for incumbents. cpu_seconds (mean) and peak_bytes (largest): of its
    `runs` scored runs of full length."""
    cost: Cost | None
    runs: int
    cpu_seconds: float | None
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class Differing:
    """A gene or setting that is not the same in both; None where one has no such thing."""

    name: str
    a: Scalar | None
    b: Scalar | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One time that the two were held against each other."""

    hypothesis: str
    attempt: int
    question: str
    """Claim, or the aim and object of a follow-up. effect in units of `metric` with its interval."""
    better: str
    """The side that the claim is about, "a" or "b"."""
    metric: str
    verdict: str
    reason: str
    e_value: float | None
    threshold: float | None
    pairs: int
    effect: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two candidates, what differs, and every comparison between them."""

    metric: str
    higher_is_better: bool
    a: One
    b: One
    genes: tuple[Differing, ...]
    same_genes: int
    """Genes or, of programs, parameters of the study that are equal."""
    settings: tuple[Differing, ...]
    screening_gain: float | None
    """Of b over a, better is more."""
    comparisons: tuple[Comparison, ...]
    patch: str = ""
    """For programs, the unified diff from a to b."""


def difference(index: CampaignIndex, first: str, second: str) -> Difference:
    """What differs between two candidates of a lab. Raises UserError for names that do not stand for two."""
    state, usage = index.state, index.trials.usage
    a, b = candidate_of(state, first), candidate_of(state, second)
    if a == b:
        raise UserError(f"{first} and {second} are the same candidate, {a}: give two")
    one, other = (_one(state, name, usage.get(name, Usage())) for name in (a, b))
    genes = _genes(state, one.genome, other.genome)
    names = set(parameter_names(state.study)) if is_program(state.study) else {*one.genome, *other.genome}
    return Difference(
        metric=state.spec.metric,
        higher_is_better=state.spec.higher_is_better,
        a=one,
        b=other,
        genes=genes,
        same_genes=len(names - {row.name for row in genes}),
        settings=_differing(one.setting, other.setting),
        screening_gain=state.gain(b, a),
        comparisons=tuple(_comparisons(index, a, b)),
        patch=patch_between(state, one.genome, other.genome),
    )


def _one(state: CampaignState, name: str, used: Usage) -> One:
    tuned, scale = state.tuned.get(name), state.scales.get(name)
    about = [one for one in state.hypotheses.values() if one.candidate.id == name]
    costs = [one.registered.cost for one in about]
    costs += [one.cost for one in state.incumbents if one.candidate.id == name]
    return One(
        id=name,
        hypotheses=tuple(one.id for one in about),
        genome=dict(candidates(state)[name].genome),
        setting=dict(tuned.setting) if tuned else {},
        screening_score=tuned.score if tuned else None,
        screening_seeds=tuned.seeds if tuned else 0,
        level=scale.mean if scale else None,
        cost=costs[0] if costs else None,
        runs=used.runs,
        cpu_seconds=round(used.cpu_seconds / used.runs, 6) if used.runs else None,
        peak_bytes=used.peak_bytes or None,
    )


def _genes(state: CampaignState, one: Genome, other: Genome) -> tuple[Differing, ...]:
    """The genes that differ; of programs the values and lines."""
    if is_program(state.study):
        return tuple(Differing(row.gene, row.old, row.new) for row in changes_of(state.study, other, one))
    return _differing(one, other)


def _differing(one: Genome, other: Genome) -> tuple[Differing, ...]:
    names = [*one, *(name for name in other if name not in one)]
    return tuple(Differing(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name))


def _comparisons(index: CampaignIndex, a: str, b: str) -> Iterator[Comparison]:
    """Claims about the two in the order of their registration, each with what was asked further."""
    state = index.state
    for hypothesis in state.hypotheses.values():
        if (hypothesis.candidate.id, hypothesis.registered.incumbent) in ((a, b), (b, a)):
            better = "a" if hypothesis.candidate.id == a else "b"
            attempts = index.confirmations.of(hypothesis)
            yield from (_claim(hypothesis, one, better) for one in attempts)
            if not attempts:
                yield _unconfirmed(state, hypothesis, better)
        for follow_up in hypothesis.follow_ups:
            sides = follow_up.rule.candidate.id, follow_up.rule.incumbent.id
            if sides in ((a, b), (b, a)):
                question = f"{follow_up.opened.aim} {follow_up.opened.about}".strip()
                better, pairs = "a" if sides[0] == a else "b", len(follow_up.pairs())
                yield _compared(follow_up.rule, question, better, pairs, follow_up.closed)


def _unconfirmed(state: CampaignState, hypothesis: Hypothesis, better: str) -> Comparison:
    claim, now = hypothesis.registered, hypothesis_status(state, hypothesis)
    return Comparison(
        hypothesis=claim.id,
        attempt=0,
        question="claim",
        better=better,
        metric=claim.metric,
        verdict=now.outcome,
        reason=now.reason,
        e_value=None,
        threshold=None,
        pairs=0,
        effect=None,
        interval=None,
    )


def _claim(hypothesis: Hypothesis, confirmation: Confirmation, better: str) -> Comparison:
    rule, verdict, size = confirmation.rule, confirmation.verdict, hypothesis.finding
    mine = size if size and size.attempt == rule.attempt else None
    if verdict:
        known = _compared(rule, "claim", better, verdict.pairs, verdict)
        return replace(known, effect=mine.effect, interval=mine.interval) if mine else known
    return _compared(rule, "claim", better, len(confirmation.pairs), None)


def _compared(
    rule: ConfirmationOpened, question: str, better: str, pairs: int, closed: VerdictReached | FollowUpClosed | None
) -> Comparison:
    return Comparison(
        hypothesis=rule.hypothesis,
        attempt=rule.attempt,
        question=question,
        better=better,
        metric=rule.metric,
        verdict=closed.verdict if closed else "open",
        reason=closed.reason if closed else "",
        e_value=closed.e_value if closed else None,
        threshold=closed.threshold if closed else rule.threshold,
        pairs=pairs,
        effect=closed.effect if isinstance(closed, FollowUpClosed) else None,
        interval=closed.interval if isinstance(closed, FollowUpClosed) else None,
    )
