"""What a preflight reads from a campaign's own first runs: a function of the state, asked once and asked again."""

from __future__ import annotations

import math

from novum.core.engine.preregistration import AFFORDABLE, largest_loss
from novum.core.events.campaign import Check
from novum.core.model.arena_spec import one_distribution
from novum.core.state.campaign_state import CampaignState
from novum.gate import preflight_checks as conclude
from novum.gate.group_correlation import group_correlation

POWER = "power"
CLAIM = "claim"

NO_NOISE_YET = Check("noise", False, "the budget ends before the noise of the baseline is known", asked=False)


def calibration_scores(state: CampaignState) -> list[float | None]:
    """Scores of the baseline's A/A runs in the order of their seeds."""
    return state.noise_scores(state.incumbents[0].candidate.id)


def noise(state: CampaignState) -> Check:
    """Scale and drift of the baseline's A/A runs, or that there are too few of them."""
    known = state.incumbents[0].candidate.id in state.scales
    return conclude.noise(state.spec, calibration_scores(state)) if known else NO_NOISE_YET


def range_left(state: CampaignState) -> Check:
    """Whether the baseline leaves room, and stands above a guess."""
    return conclude.range_left(state.spec, calibration_scores(state))


def against_itself(state: CampaignState) -> Check | None:
    """The baseline against itself; None where its differences have no scale."""
    sigma = state.scales[state.incumbents[0].candidate.id].sigma
    if sigma <= 0 or state.spec.log:
        return None
    return conclude.against_itself(state.study, calibration_scores(state), sigma)


def claim(state: CampaignState) -> Check:
    """What claims of this study are about, and what either claim takes, at the baseline's noise."""
    gate, spec = state.study.gate, state.spec
    clip = gate.clip * max(state.scales[state.incumbents[0].candidate.id].sigma, spec.resolution)
    bound = largest_loss(state.study, spec)
    typical = f"a typical gain takes at most {gate.max_pairs} pairs"
    if bound is None:
        words = f"{typical}; a claim of the mean needs a bound on losses: gate.loss_bound, or bounds of the metric"
        return Check(CLAIM, True, words, {"pairs": float(gate.max_pairs)})
    loss = max(1.0, bound / clip)
    pairs = math.ceil(gate.max_pairs * (1.0 + loss) / 2.0)
    mean = gate.claim == "mean" or (not gate.claim and gate.process == "betting" and loss <= AFFORDABLE)
    chosen = "mean" if mean else "typical gain"
    words = f"{typical}, the mean with losses up to {bound:.3g} in full {pairs}: claimed is the {chosen}"
    return Check(CLAIM, True, words, {"loss_side": loss, "pairs": float(pairs if mean else gate.max_pairs)})


def groups(state: CampaignState) -> Check | None:
    """Whether the baseline's A/A runs agree more within a trial group than between groups; None where none can tell."""
    found: dict[str, list[float]] = {}
    for run in state.calibration.get(state.incumbents[0].candidate.id, {}).values():
        if run.score is not None:
            found.setdefault(run.group, []).append(run.score)
    return group_correlation(list(found.values()))


def shifted(state: CampaignState) -> Check | None:
    """Whether search and gate data seem to be of two distributions, where the arena does not say so."""
    baseline = state.incumbents[0].candidate.id
    tuned = state.tuned[baseline]
    if not one_distribution(state.spec) or state.study.screening.fidelity != 1.0 or tuned.score is None:
        return None
    best = list(state.spec.tuning).index(tuned.setting)
    search = [score for (setting, _), score in state.sweep_scores[baseline].items() if setting == best]
    gate = [run.score for run in state.calibration.get(baseline, {}).values()]
    return conclude.shifted(
        state.spec, [one for one in search if one is not None], [one for one in gate if one is not None]
    )


def reach(state: CampaignState) -> tuple[Check, str]:
    """What the session's budget can confirm, at the price of the trials so far."""
    cpu, wall = state.prices.usual
    sweep = len(state.spec.tuning) * state.study.screening.seeds
    scale = state.scales.get(state.incumbents[0].candidate.id)
    noiseless = scale is not None and scale.sigma < conclude.NEAR
    return conclude.reach(state.study, state.budget, wall, cpu, sweep, state.workers, noiseless=noiseless)
