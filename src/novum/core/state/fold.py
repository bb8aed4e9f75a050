"""The fold: what each event does to the state of a campaign. Restarting is folding; nothing else is remembered.

One projection per kind of event, registered by `@folds` in the files beside this one; only they write to a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from novum.core.events.event import Event
from novum.core.state.campaign_state import CampaignState

E = TypeVar("E", bound=Event)
Projection = Callable[[CampaignState, Any], None]
_PROJECTIONS: dict[type[Event], Projection] = {}


def folds(event_type: type[E]) -> Callable[[Callable[[CampaignState, E], None]], Callable[[CampaignState, E], None]]:
    """Register the projection of a kind of event."""

    def register(projection: Callable[[CampaignState, E], None]) -> Callable[[CampaignState, E], None]:
        _PROJECTIONS[event_type] = projection
        return projection

    return register


def apply(state: CampaignState, event: Event) -> None:
    """Take one event into account."""
    kind = type(event)
    _PROJECTIONS[kind](state, event)
    state.revision += 1
    state.changed[kind] = state.revision


def fold(events: Iterable[Event]) -> CampaignState:
    """The state after `events`, from nothing."""
    state = CampaignState()
    for event in events:
        apply(state, event)
    return state
