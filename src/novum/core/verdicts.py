"""Verdicts as events: what the gate says of a confirmation, and what that does to the evidence account."""

from __future__ import annotations

from dataclasses import replace

from novum.core.events import VerdictReached
from novum.core.house import House
from novum.core.hypothesis import Hypothesis
from novum.core.judgement import Account, Judgement
from novum.core.plans import Verdict


def verdict_of(account: Account, house: House, hypothesis: Hypothesis, judgement: Judgement) -> VerdictReached:
    """The verdict of a judgement, and the account after it."""
    rule = hypothesis.rule
    assert rule and judgement.verdict
    accepted = judgement.verdict is Verdict.SUPPORTED
    after = house.evidence.close(account, rule.stake, judgement.e_value, judgement.threshold, accepted=accepted)
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
        key=None if accepted else house.confirmation_key(hypothesis.id, rule.attempt).hex(),
    )


def stopped(account: Account, house: House, hypothesis: Hypothesis, reason: str) -> VerdictReached:
    """An end without a decision, for a reason that lies outside the evidence: always inconclusive."""
    assert hypothesis.rule
    now = house.gate.judge(hypothesis.rule, hypothesis.pairs(), hypothesis.judged, account.discoveries)
    return verdict_of(account, house, hypothesis, replace(now, verdict=Verdict.INCONCLUSIVE, reason=reason))
