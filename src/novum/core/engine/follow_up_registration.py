"""The rule of a follow-up: the finding's own, with what the question changes in it."""

from __future__ import annotations

from dataclasses import replace

from novum.core.engine.preregistration import first_bar, sigma_of
from novum.core.events.verdicts import ConfirmationOpened, FollowUpOpened
from novum.core.model.arena_spec import metric_of
from novum.core.model.candidate import Setting
from novum.core.model.trial_plan import Aim
from novum.core.model.verdict import Estimand, Stake
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def rule_of(
    state: CampaignState, hypothesis: Hypothesis, aim: Aim, about: str, stake: Stake, commitment: str
) -> FollowUpOpened:
    """The registration of a question about a finding. Raises KeyError or StopIteration for one that makes no sense."""
    assert hypothesis.rule
    number, base = (
        len(hypothesis.follow_ups) + 1,
        replace(hypothesis.rule, key_commitment=commitment, guards=(), arm="", interval="sequence"),
    )
    if aim is Aim.REPLICATE:
        return FollowUpOpened(hypothesis.id, aim, about, {}, _again(hypothesis, base, number))
    paid = replace(
        base,
        attempt=number,
        position=stake.account.opened,
        stake=stake.amount,
        cash=stake.account.cash,
        threshold=first_bar(stake, state.account.discoveries, base.alpha),
    )
    options: Setting = {}
    if aim is Aim.TRANSFER:
        options = _transfer(state, about)
    elif aim is Aim.ABLATE:
        paid = _ablated(state, hypothesis, about, paid)
    else:
        paid = _on_metric(state, about, paid)
    return FollowUpOpened(hypothesis.id, aim, about, options, paid)


def _again(hypothesis: Hypothesis, base: ConfirmationOpened, number: int) -> ConfirmationOpened:
    """A whole stake, and half of the claimed effect as what must be left."""
    assert hypothesis.finding
    claimed = (hypothesis.finding.effect or 0.0) - min(0.0, base.delta)
    return replace(
        base,
        attempt=number,
        dmin=max(claimed / 2, base.sigma / 2),
        refute_pairs=base.max_pairs,
        position=0,
        stake=1.0,
        cash=0.0,
        threshold=1.0 / base.alpha,
    )


def _transfer(state: CampaignState, name: str) -> Setting:
    return dict(next(one.options for one in state.spec.transfers if one.name == name))


def _ablated(state: CampaignState, hypothesis: Hypothesis, part: str, rule: ConfirmationOpened) -> ConfirmationOpened:
    """The finding against itself without the part, which has had a sweep of its own."""
    rival = state.ablations[hypothesis.id, part].rival
    return replace(rule, incumbent=rival, incumbent_setting=state.tuned[rival.id].setting, delta=0.0)


def _on_metric(state: CampaignState, name: str, rule: ConfirmationOpened) -> ConfirmationOpened:
    """The same comparison on another metric, in its own units."""
    metric = metric_of(state.spec, name)
    assert metric
    gate, sigma = state.study.gate, sigma_of(state.scales[rule.incumbent.id], metric)
    return replace(
        rule,
        metric=name,
        higher_is_better=metric.higher_is_better,
        log=metric.log,
        claim=Estimand.TYPICAL,
        loss=1.0,
        delta=0.0,
        sigma=sigma,
        scale=gate.clip * sigma,
        dmin=gate.dmin * sigma,
    )
