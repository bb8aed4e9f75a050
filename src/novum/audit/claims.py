"""Whether a claim is one that the study allows: registered once, on its metric, in its direction, by its margin."""

from __future__ import annotations

from novum.core.errors import IntegrityError
from novum.core.events import HypothesisRegistered
from novum.core.state import State


def check_claim(event: HypothesisRegistered, state: State) -> None:
    """Hold a registration against the study and the record before it. Raises IntegrityError."""
    assert state.study and state.card
    if event.id in state.hypotheses:
        raise IntegrityError(f"{event.id} is registered a second time")
    said = event.metric, event.higher_is_better, event.delta
    if said != (state.card.metric, state.card.higher_is_better, state.study.gate.delta):
        raise IntegrityError(f"{event.id} claims something else than the study asks")
