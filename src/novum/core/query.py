"""Asking the holdout: each finding once, in the order in which they were found, while queries last."""

from __future__ import annotations

from novum.core import seeds
from novum.core.approval import Permission, ask_for, permission
from novum.core.dispatch import refuses_payer, spent
from novum.core.events import Event, HoldoutAsked, HoldoutOpened
from novum.core.house import House
from novum.core.hypothesis import Hypothesis
from novum.core.judgement import Spent
from novum.core.state import State

HOLDOUT = "holdout"


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
    if house.governor.refuses(spent(state), Spent(holdout_queries=1)):
        return []
    asked = {query.hypothesis for query in holdout.asked}
    finding = next((one for one in state.findings if one.id not in asked and not _barred(state, house, one)), None)
    if finding is None:
        return []
    policy, author, content = house.study.policy, finding.registered.author, finding.candidate.digest
    match permission(policy, state.desk.approvals, HOLDOUT, author, content):
        case Permission.GRANTED:
            return [HoldoutAsked(finding.id, len(holdout.asked) + 1)]
        case Permission.NEEDED:
            words = f"does {finding.id} hold on the final data? {holdout.left} queries are left"
            return [ask_for(HOLDOUT, author, content, words, state.wall_seconds, policy)]
    return []


def _barred(state: State, house: House, one: Hypothesis) -> bool:
    """Whether policy, people or its author's budget do not let a finding be asked about; others still may be."""
    if refuses_payer(state, house, Spent(holdout_queries=1), state.purses.of(one.id)):
        return True
    policy, approvals = house.study.policy, state.desk.approvals
    return permission(policy, approvals, HOLDOUT, one.registered.author, one.candidate.digest) is Permission.REFUSED
