"""Quarantine: what is too good to be true is confirmed only if the policy, or people, let it."""

from __future__ import annotations

from novum.core.approval import Permission, ask_for, permission
from novum.core.events import Alarm, Event, HypothesisWithdrawn, Intervened, Step
from novum.core.house import House
from novum.core.hypothesis import Hypothesis, Phase
from novum.core.state import State

QUARANTINE = "quarantine"


def settle(state: State, house: House) -> list[Event]:
    """What the policy says of hypotheses in quarantine. Without one nobody is on duty, and the gate alone tells."""
    for one in state.open_hypotheses(Phase.QUARANTINED):
        if events := _settle(state, house, one):
            return events
    return []


def _settle(state: State, house: House, one: Hypothesis) -> list[Event]:
    policy, author, content = house.study.policy, one.registered.author, one.candidate.digest
    match permission(policy, state.desk.approvals, QUARANTINE, author, content):
        case Permission.GRANTED:
            words = "people allowed it" if policy.rules else "the study has no policy, so that nobody was asked"
            words = f"{one.id} leaves quarantine: {words}; what is found of it is marked"
            return [Intervened(Alarm.TOO_GOOD, Step.RELEASE, one.id, words)]
        case Permission.NEEDED:
            words = f"{one.id} is too good to be true: {state.vigil.about[one.id][-1].words}"
            return [ask_for(QUARANTINE, author, content, words, state.wall_seconds, policy)]
        case Permission.REFUSED:
            return [HypothesisWithdrawn(one.id, "too good to be true, and nobody allowed its confirmation")]
    return []
