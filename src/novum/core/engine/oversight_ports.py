"""Ports that see the state of a campaign: the holdout service, the watchdog and the critic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from novum.core.events.event import Event
from novum.core.events.proposals import ProposalMade
from novum.core.model.candidate import Cost
from novum.core.model.intervention import Remark
from novum.core.state.campaign_state import CampaignState


class HoldoutService(Protocol):
    """Keeps the holdout: nobody else reads the final data."""

    def answers(self, state: CampaignState) -> Sequence[Event]:
        """Answers to queries that are paid for, and the closing when none is left; empty when nothing is owed."""
        ...


class Watchdog(Protocol):
    """Looks after a running lab: what goes wrong, runs away or is too good to be true."""

    def look(self, state: CampaignState, elapsed: float) -> Sequence[Event]:
        """What has to be done now, as events; empty nearly always. elapsed: seconds of the session by now."""
        ...


class Critic(Protocol):
    """Looks at a proposal before anything is spent on it. Pure: the same state and proposal get the same remarks."""

    def review(self, state: CampaignState, proposal: ProposalMade, cost: Cost) -> Sequence[Remark]:
        """What is to be said of it; a remark that refuses is reason enough not to try it."""
        ...
