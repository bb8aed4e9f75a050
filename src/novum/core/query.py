"""Asking the holdout: each finding once, in the order in which they were found, while queries last."""

from __future__ import annotations

from novum.core import seeds
from novum.core.events import Event, HoldoutAsked, HoldoutOpened
from novum.core.house import House
from novum.core.state import State


def ask(state: State, house: House) -> list[Event]:
    """Open the holdout at the first finding, and put the next query to it."""
    settings, holdout = house.study.holdout, state.holdout
    if not (house.arena.card.fixed_data and settings.queries and state.findings) or holdout.closed:
        return []
    if holdout.opened is None:
        commitment = seeds.commitment(house.holdout_key())
        return [HoldoutOpened(settings.queries, settings.mechanism, house.study.gate.alpha, commitment)]
    if holdout.left == 0 or holdout.waiting:
        return []
    asked = {query.hypothesis for query in holdout.asked}
    finding = next((one for one in state.findings if one.id not in asked), None)
    return [HoldoutAsked(finding.id, len(holdout.asked) + 1)] if finding else []
