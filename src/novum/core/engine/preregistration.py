"""The preregistration of a confirmation: it follows from the study and the record, down to the last number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from novum.core.events.trials import ScaleMeasured
from novum.core.events.verdicts import ConfirmationOpened, Guard
from novum.core.model.arena_spec import ArenaSpec, metric_of
from novum.core.model.errors import StudyError
from novum.core.model.metric import Metric
from novum.core.model.study import Guardrail, Study
from novum.core.model.verdict import Estimand, Stake
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis
from novum.core.state.spread import FAR_LARGER, NONE, paired_sigma


def rule_for(
    state: CampaignState, hypothesis: Hypothesis, stake: Stake, commitment: str, arm: str
) -> ConfirmationOpened:
    """The rule of the next confirmation of `hypothesis`, on the fresh seeds of `arm`. Raises StudyError."""
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
        claim=estimand(state.study, state.spec),
        loss=units.loss,
        floor=gate.floor if estimand(state.study, state.spec) is Estimand.TYPICAL else 0.0,
        optimism=gate.optimism,
        interval=gate.interval,
        arm=arm,
    )


@dataclass(frozen=True, slots=True)
class Units:
    """What differences are measured in: sigma and the clip c in metric units, the loss side L in units of c."""

    sigma: float
    clip: float
    loss: float


def units_of(state: CampaignState, hypothesis: Hypothesis) -> Units:
    """The scale of a comparison, from runs that decide nothing. Raises StudyError where losses have no bound.

    sigma is the larger of the incumbent's noise and what the candidate's own screening runs allow. Where the incumbent
    scatters less than the metric's resolution, or not at all, the screening gain takes the place of a scale: a
    resolution says nothing of what the candidate may lose.
    """
    gate, spec = state.study.gate, state.spec
    noise = state.scales[hypothesis.registered.incumbent].sigma
    sigma = paired_sigma(noise, state.spreads.get(hypothesis.candidate.id, NONE))
    if noise < spec.resolution:
        sigma = max(sigma, abs(state.advantage(hypothesis) or 0.0) / gate.clip) or spec.resolution
    clip = gate.clip * sigma
    if estimand(state.study, spec) is Estimand.MEAN:
        bound = largest_loss(state.study, spec)
        if bound is None:
            raise StudyError(
                'gate.claim: "mean" needs a bound on losses, and the metric declares no range: state gate.loss_bound '
                'in metric units, or claim the "typical" gain'
            )
        return Units(sigma, clip, max(1.0, (bound + hypothesis.registered.delta) / clip))
    return Units(sigma, clip, FAR_LARGER if noise and sigma > FAR_LARGER * noise else 1.0)


def estimand(study: Study, spec: ArenaSpec) -> Estimand:
    """What the claims of a study are about: as it says, else as its arena does."""
    return Estimand(study.gate.claim or spec.claim)


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
