"""A state that forgets nothing: every trial and every plan, for whoever asks about one of them."""

from __future__ import annotations

from novum.core.events.campaign import SessionStarted
from novum.core.events.event import Event
from novum.core.events.trials import GroupDispatched, TrialFinished
from novum.core.model.trial_plan import Plan
from novum.core.state.campaign_state import CampaignState
from novum.core.state.fold import apply


class FullState(CampaignState):
    """The state of a lab, and all its finished trials and dispatched plans by name."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: dict[str, TrialFinished] = {}
        self._every: dict[str, Plan] = {}
        self._sessions: dict[int, SessionStarted] = {}
        self._session_of: dict[str, int] = {}

    def keep(self, event: Event) -> None:
        """Take one event into account, and keep what the state alone would let go."""
        apply(self, event)
        if isinstance(event, TrialFinished):
            self.finished[event.trial] = event
        elif isinstance(event, GroupDispatched):
            self._every[event.plan.id] = event.plan
            self._session_of[event.plan.id] = event.session
        elif isinstance(event, SessionStarted):
            self._sessions[event.session] = event

    def session_of(self, group: str) -> SessionStarted | None:
        """The session that dispatched a group, with its provenance."""
        return self._sessions.get(self._session_of.get(group, 0))

    def plan(self, group: str) -> Plan:
        """The plan of a group that was ever dispatched. Raises KeyError."""
        return self._every[group]
