"""Asking the holdout: each finding once, in the order in which they were found, while queries last."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import refuses_payer
from novum.core.events.event import Event
from novum.core.events.verdicts import HoldoutAsked, HoldoutOpened
from novum.core.model import seeds
from novum.core.model.budget import Spent
from novum.core.state.approvals import Permission, ask_for, permission
from novum.core.state.hypothesis import Hypothesis

HOLDOUT = "holdout"


def ask(campaign: Campaign) -> list[Event]:
    """Open the holdout at the first finding, and put the next query to it."""
    settings, holdout = campaign.study.holdout, campaign.state.holdout
    if not (campaign.spec.fixed_data and settings.queries and campaign.state.findings) or holdout.closed:
        return []
    if holdout.opened is None:
        commitment = seeds.commitment(campaign.context.holdout_key())
        return [HoldoutOpened(settings.queries, settings.mechanism, campaign.study.gate.alpha, commitment)]
    if holdout.left == 0 or holdout.waiting:
        return []
    if campaign.context.governor.refuses(campaign.state.spent, Spent(holdout_queries=1)):
        return []
    asked = {query.hypothesis for query in holdout.asked}
    finding = next((one for one in campaign.state.findings if one.id not in asked and not _barred(campaign, one)), None)
    if finding is None:
        return []
    policy, author, content = campaign.study.policy, finding.registered.author, finding.candidate.digest
    match permission(policy, campaign.state.request_log.approvals, HOLDOUT, author, content):
        case Permission.GRANTED:
            return [HoldoutAsked(finding.id, len(holdout.asked) + 1)]
        case Permission.NEEDED:
            words = f"does {finding.id} hold on the final data? {holdout.left} queries are left"
            return [ask_for(HOLDOUT, author, content, words, campaign.state.wall_seconds, policy)]
    return []


def _barred(campaign: Campaign, one: Hypothesis) -> bool:
    """Whether policy, people or its author's budget do not let a finding be asked about; others still may be."""
    if refuses_payer(campaign, Spent(holdout_queries=1), campaign.state.spending.of(one.id)):
        return True
    policy, approvals = campaign.study.policy, campaign.state.request_log.approvals
    return permission(policy, approvals, HOLDOUT, one.registered.author, one.candidate.digest) is Permission.REFUSED
