"""The preregistration of a confirmation: it follows from the study and the record, down to the last number."""

from __future__ import annotations

import math

from novum.core.events.trials import ScaleMeasured
from novum.core.events.verdicts import ConfirmationOpened, Guard
from novum.core.model.arena_spec import ArenaSpec, metric_of
from novum.core.model.metric import Metric
from novum.core.model.study import Guardrail
from novum.core.model.verdict import Stake
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def rule_for(state: CampaignState, hypothesis: Hypothesis, stake: Stake, commitment: str) -> ConfirmationOpened:
    """The rule of the next confirmation of `hypothesis`."""
    gate, attempt = state.study.gate, hypothesis.attempt + 1
    incumbent = state.candidates[hypothesis.registered.incumbent]
    scale = state.scales[incumbent.id]
    sigma = max(scale.sigma, state.spec.resolution)
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
        log=state.spec.log,
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
        guards=tuple(_guard(one, state.spec, scale, gate.clip) for one in gate.guardrails),
        key_commitment=commitment,
    )


def first_bar(stake: Stake, discoveries: int, alpha: float) -> float:
    """The threshold when a test opens; it falls with later discoveries, but never below 1/alpha."""
    return max(1.0, 1.0 / (stake.amount * (discoveries + 1))) / alpha


def sigma_of(scale: ScaleMeasured, metric: Metric) -> float:
    """The noise of a further metric, at least its resolution."""
    return max(scale.others.get(metric.name, 0.0), metric.resolution)


def _guard(rail: Guardrail, spec: ArenaSpec, scale: ScaleMeasured, clip: float) -> Guard:
    metric = metric_of(spec, rail.metric)
    assert metric
    margin = math.log(rail.margin) if metric.log else rail.margin
    return Guard(metric.name, metric.higher_is_better, metric.log, margin, max(margin, clip * sigma_of(scale, metric)))
