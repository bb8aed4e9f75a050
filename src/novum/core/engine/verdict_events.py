"""Verdicts as events: what the gate says of a confirmation, and what that does to the evidence account."""

from __future__ import annotations

from dataclasses import replace

from novum.core.engine.context import LabContext
from novum.core.events.verdicts import VerdictReached
from novum.core.model.verdict import Account, Judgement, Verdict
from novum.core.state.arm import arm_of
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis


def verdict_of(account: Account, context: LabContext, hypothesis: Hypothesis, judgement: Judgement) -> VerdictReached:
    """The verdict of a judgement, and the account after it."""
    rule = hypothesis.rule
    assert rule and judgement.verdict
    accepted = judgement.verdict is Verdict.SUPPORTED
    after = context.evidence.close(account, rule.stake, judgement.e_value, judgement.threshold, accepted=accepted)
    return VerdictReached(
        hypothesis=hypothesis.id,
        attempt=rule.attempt,
        verdict=judgement.verdict,
        reason=judgement.reason,
        pairs=judgement.pairs,
        e_value=judgement.e_value,
        threshold=judgement.threshold,
        against=judgement.against,
        crashes=judgement.crashes,
        mean=judgement.mean,
        guards=judgement.guards,
        refund=after.cash - account.cash,
        cash=after.cash,
        discoveries=after.discoveries,
        key=None if accepted else context.confirmation_key(arm_of(rule)).hex(),
    )


def stopped(
    state: CampaignState, account: Account, context: LabContext, hypothesis: Hypothesis, reason: str
) -> VerdictReached:
    """An end without a decision, for a reason that lies outside the evidence: always inconclusive."""
    assert hypothesis.rule
    discoveries = state.discoveries_for(hypothesis.rule) if hypothesis.rule.arm else account.discoveries
    now = context.gate.judge(hypothesis.rule, hypothesis.pairs(), hypothesis.judged, discoveries)
    return verdict_of(account, context, hypothesis, replace(now, verdict=Verdict.INCONCLUSIVE, reason=reason))
