"""The pre-registration of a confirmation: it follows from the study and the record, down to the last number."""

from __future__ import annotations

import math

from novum.core.events import ConfirmationOpened, Guard, ScaleMeasured
from novum.core.hypothesis import Hypothesis
from novum.core.judgement import Stake
from novum.core.nouns import RESOURCES, Card, Metric
from novum.core.state import State
from novum.core.study import Guardrail


def rule_for(state: State, hypothesis: Hypothesis, stake: Stake, commitment: str) -> ConfirmationOpened:
    """The rule of the next confirmation of `hypothesis`."""
    assert state.study and state.card
    gate, attempt = state.study.gate, hypothesis.attempt + 1
    incumbent = state.candidates[hypothesis.registered.incumbent]
    scale = state.scales[incumbent.id]
    sigma = max(scale.sigma, state.card.resolution)
    return ConfirmationOpened(
        hypothesis=hypothesis.id,
        attempt=attempt,
        code=state.code,
        candidate=hypothesis.candidate,
        incumbent=incumbent,
        candidate_setting=state.tuned[hypothesis.candidate.id].setting,
        incumbent_setting=state.tuned[incumbent.id].setting,
        process=gate.process,
        metric=hypothesis.registered.metric,
        higher_is_better=hypothesis.registered.higher_is_better,
        log=state.card.log,
        delta=hypothesis.registered.delta,
        scale=gate.clip * sigma,
        sigma=sigma,
        dmin=gate.dmin * sigma,
        alpha=gate.alpha,
        beta=gate.beta,
        max_pairs=gate.max_pairs,
        refute_pairs=gate.refute_pairs,
        position=stake.account.opened,
        stake=stake.amount,
        cash=stake.account.cash,
        threshold=first_bar(stake, state.account.discoveries, gate.alpha),
        guards=tuple(_guard(one, state.card, scale, gate.clip) for one in gate.guardrails),
        key_commitment=commitment,
    )


def first_bar(stake: Stake, discoveries: int, alpha: float) -> float:
    """The threshold when a test opens; it falls with later discoveries, but never below 1/alpha."""
    return max(1.0, 1.0 / (stake.amount * (discoveries + 1))) / alpha


def metric_of(card: Card, name: str) -> Metric | None:
    """A further metric of the card, or a resource; None for any other name."""
    return next((one for one in card.metrics if one.name == name), RESOURCES.get(name))


def sigma_of(scale: ScaleMeasured, metric: Metric) -> float:
    """The noise of a further metric, at least its resolution."""
    return max(scale.others.get(metric.name, 0.0), metric.resolution)


def _guard(rail: Guardrail, card: Card, scale: ScaleMeasured, clip: float) -> Guard:
    metric = metric_of(card, rail.metric)
    assert metric
    margin = math.log(rail.margin) if metric.log else rail.margin
    return Guard(metric.name, metric.higher_is_better, metric.log, margin, max(margin, clip * sigma_of(scale, metric)))
