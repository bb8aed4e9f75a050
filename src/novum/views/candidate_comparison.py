"""Two candidates side by side, and whatever the record knows of how they compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from novum.core.events.event import Record
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.events.verdicts import ConfirmationOpened, FollowUpClosed, VerdictReached
from novum.core.model.candidate import ID_DIGITS, Candidate, Cost, Genome, Scalar, Setting
from novum.core.model.errors import UserError
from novum.core.model.trial_plan import Plan
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.views.campaign_history import Confirmation, History, walk
from novum.views.hypothesis_status import standing
from novum.views.patches import patch_between

BASELINE, INCUMBENT = "baseline", "incumbent"


@dataclass(frozen=True, slots=True)
class One:
    """One of two candidates.

    screening_score: mean over `screening_seeds` search seeds at its best setting. level: mean on the fresh seeds behind
    its scale, for incumbents. cpu_seconds (mean) and peak_bytes (largest): of its `runs` scored runs of full length.
    """

    id: str
    hypotheses: tuple[str, ...]
    genome: Genome
    setting: Setting
    screening_score: float | None
    screening_seeds: int
    level: float | None
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
    """One time that the two were held against each other. better: the side that the claim is about, "a" or "b".

    question: claim, or the aim and object of a follow-up. effect in units of `metric` with its confidence sequence.
    """

    hypothesis: str
    attempt: int
    question: str
    better: str
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
    """Two candidates, what differs, and every comparison between them. screening_gain: of b over a, better is more.

    patch: for programs, the unified diff from a to b.
    """

    metric: str
    higher_is_better: bool
    a: One
    b: One
    genes: tuple[Differing, ...]
    same_genes: int
    settings: tuple[Differing, ...]
    screening_gain: float | None
    comparisons: tuple[Comparison, ...]
    patch: str = ""


@dataclass
class Usage:
    """What the scored runs of one candidate at full length, under the study's own options, have taken."""

    runs: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass
class Survey:
    """A record in one pass: its history, and what the runs of each candidate have taken."""

    usage: dict[str, Usage] = field(default_factory=dict)
    _plans: dict[str, Plan] = field(default_factory=dict)

    def of(self, records: Iterable[Record]) -> History:
        """The history of the records, which are noted on their way."""
        return walk(self._noted(records))

    def _noted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            event = record.event
            if isinstance(event, GroupDispatched):
                self._plans[event.plan.id] = event.plan
            elif isinstance(event, TrialFinished) and event.score is not None:
                self._add(self._plans[event.group], event)
            yield record

    def _add(self, plan: Plan, event: TrialFinished) -> None:
        if plan.fidelity == 1.0 and not plan.options:
            used = self.usage.setdefault(plan.candidate.id, Usage())
            used.runs += 1
            used.cpu_seconds += event.cpu_seconds
            used.peak_bytes = max(used.peak_bytes, event.peak_bytes)


def candidate_of(state: CampaignState, name: str) -> str:
    """The id of a candidate by its id or the beginning of it, by a hypothesis, or as baseline or incumbent.

    Raises UserError.
    """
    if name == BASELINE:
        return state.incumbents[0].candidate.id
    if name == INCUMBENT:
        return state.incumbent.candidate.id
    if name in state.hypotheses:
        return state.hypotheses[name].candidate.id
    known = candidates(state) if len(name) > 3 else {}
    found = [one for one in known if one.startswith(name[:ID_DIGITS]) and known[one].digest.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{name!r} is the beginning of {len(found)} candidates: give more of it")
    raise UserError(f"no candidate is called {name!r}: give a hypothesis (h7), a candidate's id, baseline or incumbent")


def candidates(state: CampaignState) -> dict[str, Candidate]:
    """Every candidate by its id, those of proposals too that are not admitted yet: they wait for approval, say."""
    return {**{one.candidate.id: one.candidate for one in state.pending}, **state.candidates}


def difference(records: Iterable[Record], first: str, second: str) -> Difference:
    """What differs between two candidates of a lab. Raises UserError for names that do not stand for two."""
    survey = Survey()
    history = survey.of(records)
    state = history.state
    if not state.incumbents:
        raise UserError("the lab is empty: no campaign was opened in it")
    a, b = candidate_of(state, first), candidate_of(state, second)
    if a == b:
        raise UserError(f"{first} and {second} are the same candidate, {a}: give two")
    one, other = (_one(state, name, survey.usage.get(name, Usage())) for name in (a, b))
    genes = _differing(one.genome, other.genome)
    return Difference(
        metric=state.spec.metric,
        higher_is_better=state.spec.higher_is_better,
        a=one,
        b=other,
        genes=genes,
        same_genes=len({*one.genome, *other.genome}) - len(genes),
        settings=_differing(one.setting, other.setting),
        screening_gain=state.gain(b, a),
        comparisons=tuple(_comparisons(history, a, b)),
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


def _differing(one: Genome, other: Genome) -> tuple[Differing, ...]:
    names = [*one, *(name for name in other if name not in one)]
    return tuple(Differing(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name))


def _comparisons(history: History, a: str, b: str) -> Iterator[Comparison]:
    """Claims about the two in the order of their registration, each with what was asked further."""
    state = history.state
    confirmed: dict[str, list[Confirmation]] = {}
    for confirmation in history.confirmations:
        confirmed.setdefault(confirmation.rule.hypothesis, []).append(confirmation)
    for hypothesis in state.hypotheses.values():
        if (hypothesis.candidate.id, hypothesis.registered.incumbent) in ((a, b), (b, a)):
            better = "a" if hypothesis.candidate.id == a else "b"
            attempts = confirmed.get(hypothesis.id, [])
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
    claim, now = hypothesis.registered, standing(state, hypothesis)
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
    return _compared(rule, "claim", better, len(confirmation.path) - 1, None)


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
