"""Quarantine: what is too good to be true is confirmed only if the policy, or people, let it."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.events.event import Event
from novum.core.events.oversight import Intervened
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.model.intervention import Alarm, Step
from novum.core.state.approvals import Permission, ask_for, permission
from novum.core.state.hypothesis import Hypothesis, Phase

QUARANTINE = "quarantine"


def settle(campaign: Campaign) -> list[Event]:
    """What the policy says of hypotheses in quarantine. Without one nobody is on duty, and the gate alone tells."""
    for one in campaign.state.open_hypotheses(Phase.QUARANTINED):
        if events := _settle(campaign, one):
            return events
    return []


def _settle(campaign: Campaign, one: Hypothesis) -> list[Event]:
    policy, author, content = campaign.study.policy, one.registered.author, one.candidate.digest
    match permission(policy, campaign.state.request_log.approvals, QUARANTINE, author, content):
        case Permission.GRANTED:
            words = "people allowed it" if policy.rules else "the study has no policy, so that nobody was asked"
            words = f"{one.id} leaves quarantine: {words}; what is found of it is marked"
            return [Intervened(Alarm.TOO_GOOD, Step.RELEASE, one.id, words)]
        case Permission.NEEDED:
            words = f"{one.id} is too good to be true: {campaign.state.intervention_log.about[one.id][-1].words}"
            return [ask_for(QUARANTINE, author, content, words, campaign.state.wall_seconds, policy)]
        case Permission.REFUSED:
            return [HypothesisWithdrawn(one.id, "too good to be true, and nobody allowed its confirmation")]
    return []
