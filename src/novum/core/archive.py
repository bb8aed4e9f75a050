"""A state that forgets nothing: every trial and every plan, for whoever asks about one of them."""

from __future__ import annotations

from novum.core import events as ev
from novum.core.plans import Plan
from novum.core.state import State


class Archive(State):
    """The state of a lab, and all its finished trials and dispatched plans by name."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: dict[str, ev.TrialFinished] = {}
        self._every: dict[str, Plan] = {}
        self._sessions: dict[int, ev.SessionStarted] = {}
        self._session_of: dict[str, int] = {}

    def apply(self, event: ev.Event) -> None:
        """Take one event into account."""
        super().apply(event)
        if isinstance(event, ev.TrialFinished):
            self.finished[event.trial] = event
        elif isinstance(event, ev.GroupDispatched):
            self._every[event.plan.id] = event.plan
            self._session_of[event.plan.id] = event.session
        elif isinstance(event, ev.SessionStarted):
            self._sessions[event.session] = event

    def session_of(self, group: str) -> ev.SessionStarted | None:
        """The session that dispatched a group, with its provenance."""
        return self._sessions.get(self._session_of.get(group, 0))

    def plan(self, group: str) -> Plan:
        """The plan of a group that was ever dispatched. Raises KeyError."""
        return self._every[group]
