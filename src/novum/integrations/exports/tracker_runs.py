"""A campaign as experiment trackers see one: hypotheses are runs, genes are parameters, evidence is metrics.

The run of a finding has its follow-ups as children. Trials are no runs of their own but points of their hypothesis'
metrics: what a tracker is asked to compare is candidates, and a campaign has thousands of trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.candidate import Cost, Genome, Setting
from novum.core.model.trial_plan import Purpose
from novum.core.model.verdict import Pair, Verdict
from novum.core.state.finding_grade import grade
from novum.core.state.hypothesis import FollowUp, Hypothesis, Phase
from novum.gate.judge import difference, support_path
from novum.integrations.exports.tables import clean, written
from novum.text.canonical_json import digest
from novum.views.finding_views.finding_size import size_of
from novum.views.hypothesis_status import hypothesis_status
from novum.views.index.campaign_index import CampaignIndex

FINISHED, FAILED, RUNNING, KILLED = "FINISHED", "FAILED", "RUNNING", "KILLED"
_UNFINISHED = (Phase.SCREENING, Phase.CONFIRMING, Phase.ESTIMATING)


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a metric after `step` pairs. time: microseconds since the epoch, of the rule behind it."""

    metric: str
    value: float
    step: int
    time: int


@dataclass(frozen=True, slots=True)
class Run:
    """What a tracker is told of a hypothesis, a follow-up or the baseline. Times in microseconds since the epoch.

    id: unique within the campaign. parent: the id of the run that it belongs under. values: metrics without steps.
    """

    id: str
    parent: str
    author: str
    status: str
    began: int
    ended: int
    params: Mapping[str, str]
    values: Mapping[str, float]
    points: tuple[Point, ...]
    tags: Mapping[str, str]

    @property
    def content(self) -> str:
        """SHA-256 of everything that the run says: by it a second export knows what has changed."""
        said = [self.status, self.ended, dict(self.params), dict(self.values), dict(self.tags)]
        return digest([*said, [[point.metric, point.value, point.step] for point in self.points]])


def runs(found: CampaignIndex) -> Iterator[Run]:
    """All runs of a campaign, parents before their children."""
    yield _baseline(found)
    for hypothesis in found.state.hypotheses.values():
        yield _hypothesis(found, hypothesis)
        for follow_up in hypothesis.follow_ups:
            yield _follow_up(found, hypothesis, follow_up)


def _baseline(found: CampaignIndex) -> Run:
    record, change, _ = found.timeline.incumbents[0]
    name, state = change.candidate.id, found.state
    tuned, scale = state.tuned.get(name), state.scales.get(name)
    values = {"screening_score": tuned.score if tuned else None, "level": scale.mean if scale else None}
    return Run(
        id="baseline",
        parent="",
        author="novum",
        status=FINISHED,
        began=record.time,
        ended=max(record.time, found.trials.last_of(name)),
        params=_params(change.candidate.genome, tuned.setting if tuned else {}),
        values=_known(values) | _cost(change.cost),
        points=(),
        tags={"novum.type": "baseline", "novum.candidate": name, "novum.outcome": "baseline"},
    )


def _hypothesis(found: CampaignIndex, one: Hypothesis) -> Run:
    state, claim = found.state, one.registered
    tuned = state.tuned.get(one.candidate.id) if one.phase is not Phase.SCREENING else None
    attempts = found.confirmations.of(one)
    points = _points(attempts[-1].rule, attempts[-1].pairs, attempts[-1].opened) if attempts else ()
    return Run(
        id=one.id,
        parent="",
        author=claim.author,
        status=_status(found, one),
        began=found.trials.times[one.id],
        ended=found.trials.last_heard(one),
        params=_params(one.candidate.genome, tuned.setting if tuned else {}),
        values=_known(_figures(found, one)) | _cost(claim.cost),
        points=points,
        tags={
            "novum.type": "hypothesis",
            "novum.candidate": one.candidate.id,
            "novum.incumbent": claim.incumbent,
            "novum.outcome": hypothesis_status(found.state, one).outcome,
            "novum.phase": one.phase,
            "novum.grade": grade(one) if one.verdict and one.verdict.verdict is Verdict.SUPPORTED else "",
            "novum.reason": one.verdict.reason if one.verdict else "",
            "novum.parents": " ".join(claim.parents),
            "novum.attempt": str(one.attempt),
            "novum.rationale": claim.rationale,
        },
    )


def _figures(found: CampaignIndex, one: Hypothesis) -> dict[str, float | None]:
    state, verdict, claim = found.state, one.verdict, one.registered
    tuned = state.tuned.get(one.candidate.id)
    trials, cpu = found.trials.cost_of(one.id, *Purpose)
    screened, screening_cpu = found.trials.cost_of(one.candidate.id, Purpose.SCREEN)
    values: dict[str, float | None] = {
        "predicted_probability": claim.probability,
        "predicted_effect": claim.effect,
        "screening_score": tuned.score if tuned else None,
        "screening_advantage": state.advantage(one),
        "trials": trials + screened,
        "cpu_seconds": cpu + screening_cpu,
    }
    if verdict:
        values |= {
            "threshold": verdict.threshold,
            "against": verdict.against,
            "pairs": verdict.pairs,
            "crashes": verdict.crashes,
        }
    if one.rule and verdict and verdict.verdict is Verdict.SUPPORTED:
        size = size_of(found.state, one, one.rule)
        low, high = size.interval or (None, None)
        values |= {"effect": size.effect, "effect_low": low, "effect_high": high, "effect_pairs": size.pairs}
    return values


def _follow_up(found: CampaignIndex, one: Hypothesis, further: FollowUp) -> Run:
    rule, done = further.rule, further.closed
    opened, closed = found.confirmations.follow_ups[one.id, rule.attempt]
    pairs = further.pairs()
    values: dict[str, float | None] = {"threshold": rule.threshold, "pairs": len(pairs)}
    if done:
        low, high = done.interval or (None, None)
        values |= {"threshold": done.threshold, "pairs": done.pairs, "against": done.against, "crashes": done.crashes}
        values |= {"effect": done.effect, "effect_low": low, "effect_high": high}
    running = RUNNING if found.state.session_open else KILLED
    return Run(
        id=f"{one.id} {further.opened.aim} {further.opened.about}".strip(),
        parent=one.id,
        author="novum",
        status=FINISHED if done else running,
        began=opened,
        ended=closed or opened,
        params=_params(rule.candidate.genome, rule.candidate_setting),
        values=_known(values),
        points=_points(rule, pairs[: done.pairs] if done else pairs, opened),
        tags={
            "novum.type": "follow_up",
            "novum.candidate": rule.candidate.id,
            "novum.incumbent": rule.incumbent.id,
            "novum.outcome": done.verdict if done else "open",
            "novum.reason": done.reason if done else "",
            "novum.aim": further.opened.aim,
            "novum.about": further.opened.about,
            "novum.metric": rule.metric,
        },
    )


def _status(found: CampaignIndex, one: Hypothesis) -> str:
    if one.phase is Phase.FAILED:
        return FAILED
    if one.phase in _UNFINISHED:
        return RUNNING if found.state.session_open else KILLED
    return FINISHED


def _points(rule: ConfirmationOpened, pairs: Sequence[Pair], time: int) -> tuple[Point, ...]:
    """Scores of both sides and the evidence, pair by pair; E is computed again from the scores."""
    gains = [difference(pair, rule) for pair in pairs]
    path = support_path(rule, gains)
    points = [Point("e_value", value, step, time) for step, value in enumerate(path)]
    for step, pair in enumerate(pairs, start=1):
        sides = (("candidate_score", pair.candidate), ("incumbent_score", pair.incumbent))
        points += [Point(name, value, step, time) for name, value in sides if value is not None]
    return tuple(points)


def _params(genome: Genome, setting: Setting) -> dict[str, str]:
    named = {f"gene.{name}": value for name, value in genome.items()}
    named |= {f"setting.{name}": value for name, value in setting.items()}
    return {clean(name): clean(written(value)) for name, value in named.items()}


def _cost(cost: Cost) -> dict[str, float]:
    return {"parameters": float(cost.parameters), "state_floats": float(cost.state_floats), "flop": cost.flop}


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
