"""Machines whose outputs did not come out the same elsewhere: what became incumbent by them does not stay it."""

from __future__ import annotations

from novum.core.engine.context import Campaign
from novum.core.engine.stages.follow_up import retract
from novum.core.events.event import Event


def decide(campaign: Campaign) -> list[Event]:
    """The retraction of the first finding in the incumbent's line that rests on such a machine."""
    hypotheses = campaign.state.hypotheses
    line = [one.hypothesis for one in campaign.state.incumbents if one.hypothesis]
    for name in line:
        if hypotheses[name].distrusted and (events := list(retract(campaign, hypotheses[name]))):
            return events
    return []
