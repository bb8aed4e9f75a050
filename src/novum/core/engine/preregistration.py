"""The preregistration of a confirmation: it follows from the study and the record, down to the last number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from novum.core.events.trials import ScaleMeasured
from novum.core.events.verdicts import ConfirmationOpened, Guard
from novum.core.model.arena_spec import ArenaSpec, metric_of
from novum.core.model.metric import Metric
from novum.core.model.study import Guardrail, Study
from novum.core.model.verdict import Estimand, Stake
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.spread import FAR_LARGER, NONE, paired_sigma


def rule_for(
    state: CampaignState, hypothesis: Hypothesis, stake: Stake, commitment: str, arm: str
) -> ConfirmationOpened:
    """The rule of the next confirmation of `hypothesis`, on the fresh seeds of `arm`."""
    gate, attempt = state.study.gate, hypothesis.attempt + 1
    incumbent = state.candidates[hypothesis.registered.incumbent]
    scale = state.scales[incumbent.id]
    units = units_of(state, hypothesis)
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
        scale=units.clip,
        sigma=units.sigma,
        dmin=gate.dmin * units.sigma,
        alpha=gate.alpha,
        beta=gate.beta,
        max_pairs=math.ceil(gate.max_pairs * (1.0 + units.loss) / 2.0),
        refute_pairs=gate.refute_pairs,
        position=stake.account.opened,
        stake=stake.amount,
        cash=stake.account.cash,
        threshold=first_bar(stake, state.account.discoveries, gate.alpha),
        guards=tuple(_guard(one, state.spec, scale, gate.clip) for one in gate.guardrails),
        key_commitment=commitment,
        claim=units.claim,
        loss=units.loss,
        floor=gate.floor if units.claim is Estimand.TYPICAL else 0.0,
        optimism=gate.hope,
        interval=gate.interval,
        arm=arm,
    )


AFFORDABLE = 3.0
"""Clips up to which losses may reach so that a claim is of the mean where the study does not say: it then takes about
twice the pairs of a typical gain (docs/trust.md)."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is claimed, and in which units: sigma and the clip c in metric units, the loss side L in units of c."""

    claim: Estimand
    sigma: float
    clip: float
    loss: float


def units_of(state: CampaignState, hypothesis: Hypothesis) -> Units:
    """The claim and the scale of a comparison, from runs that decide nothing.

    sigma is the larger of the incumbent's noise and what the candidate's own screening runs allow. Where the incumbent
    scatters less than the metric's resolution, or not at all, the screening gain takes the place of a scale: a
    resolution says nothing of what the candidate may lose.
    """
    gate, spec = state.study.gate, state.spec
    noise = state.scales[hypothesis.registered.incumbent].sigma
    sigma = max(noise, spec.resolution)
    if gate.scale == "both":
        sigma = paired_sigma(noise, state.spreads.get(hypothesis.candidate.id, NONE))
        if noise < spec.resolution:
            sigma = max(sigma, abs(state.advantage(hypothesis) or 0.0) / gate.clip) or spec.resolution
    clip = gate.clip * sigma
    bound = largest_loss(state.study, spec)
    full = max(1.0, (bound + hypothesis.registered.delta) / clip) if bound is not None else math.inf
    if gate.claim == "mean" or (not gate.claim and gate.process == "betting" and full <= AFFORDABLE):
        return Units(Estimand.MEAN, sigma, clip, full)
    wild = gate.scale == "both" and 0.0 < FAR_LARGER * noise < sigma
    return Units(Estimand.TYPICAL, sigma, clip, FAR_LARGER if wild else 1.0)


def largest_loss(study: Study, spec: ArenaSpec) -> float | None:
    """The largest loss that counts in full, in the units of differences; None where neither study nor metric says."""
    if study.gate.loss_bound is not None:
        return study.gate.loss_bound
    if spec.bounds is None:
        return None
    low, high = spec.bounds
    if spec.log:
        return math.log(high / low) if low > 0 else None
    return high - low


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
