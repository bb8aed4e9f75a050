"""Replication: findings are tested again, alone, on fresh seeds, by a scheduled share of the trials.

A finding that is supported again is replicated. One of which less than half is left (the mirrored e-process rejects
half of the claimed effect) is retracted, with everything that was built on it; the incumbent before it takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from novum.core import seeds
from novum.core.confirm import pair_plans, supersede
from novum.core.dispatch import BLOCK, committed, dispatch
from novum.core.events import ConfirmationOpened, Event, IncumbentChanged, ReplicationClosed, ReplicationOpened
from novum.core.house import House
from novum.core.hypothesis import Hypothesis, Phase
from novum.core.plans import Purpose, Verdict
from novum.core.state import State

ATTEMPT = 1
"""Each finding is replicated once."""


def decide(state: State, house: House) -> list[Event]:
    """The outcome of the open replication, once the gate has one."""
    hypothesis = state.replicating
    if hypothesis is None:
        return []
    open_one = hypothesis.replications[-1]
    now = house.gate.judge(open_one.rule, open_one.pairs(), open_one.judged, 0)
    if not now.verdict:
        return []
    closed = ReplicationClosed(
        hypothesis=hypothesis.id,
        attempt=open_one.rule.attempt,
        verdict=now.verdict,
        reason=now.reason,
        pairs=now.pairs,
        e_value=now.e_value,
        threshold=now.threshold,
        against=now.against,
        mean=now.mean,
        key=house.replication_key(hypothesis.id, open_one.rule.attempt).hex(),
    )
    return [closed, *_retract(state, house, hypothesis)] if now.verdict is Verdict.REFUTED else [closed]


def replicate(state: State, house: House) -> list[Event]:
    """Pairs for the open replication, or the opening of the next one, within the share of the trials."""
    flying = sum(len(plan.members) for plan in state.in_flight.values() if plan.purpose is Purpose.REPLICATE)
    allowed = house.study.gate.replication_share * state.trials
    if state.replication_trials + flying + 2 * BLOCK > allowed or house.slots <= len(state.in_flight):
        return []
    if state.replicating:
        open_one = state.replicating.replications[-1]
        done = len(open_one.pairs())
        block = range(done, min(done + BLOCK, open_one.rule.max_pairs))
        plans = list(pair_plans(state, house, open_one.rule, open_one.runs, block, Purpose.REPLICATE))
        return dispatch(state, house, plans, committed(state, house))
    waiting = (h for h in state.findings if not h.replications and not state.retraction(h))
    hypothesis = next(waiting, None)
    if hypothesis is None:
        return []
    key = house.replication_key(hypothesis.id, ATTEMPT)
    return [ReplicationOpened(hypothesis.id, rule_again(hypothesis, seeds.commitment(key)))]


def rule_again(hypothesis: Hypothesis, commitment: str) -> ConfirmationOpened:
    """The finding's own rule with a whole stake, fresh seeds, and half of the claimed effect as what must be left."""
    assert hypothesis.rule and hypothesis.finding
    claimed = hypothesis.finding.effect or 0.0
    return replace(
        hypothesis.rule,
        attempt=ATTEMPT,
        dmin=max(claimed / 2, hypothesis.rule.sigma / 2),
        refute_pairs=hypothesis.rule.max_pairs,
        position=0,
        stake=1.0,
        cash=0.0,
        threshold=1.0 / hypothesis.rule.alpha,
        key_commitment=commitment,
    )


def _retract(state: State, house: House, hypothesis: Hypothesis) -> Iterator[Event]:
    """The last incumbent that does not rest on `hypothesis` comes back, if the present one does."""
    lost = {hypothesis.id}
    for other in state.findings:
        ground = next((h for h in state.findings if h.candidate.id == other.registered.incumbent), None)
        if ground and ground.id in lost:
            lost.add(other.id)
    if state.incumbent.hypothesis not in lost:
        return
    back = next(one for one in reversed(state.incumbents) if one.hypothesis not in lost)
    yield IncumbentChanged(back.candidate, back.cost, back.hypothesis)
    yield from supersede(state, house, state.account, state.open_hypotheses(Phase.CONFIRMING), back.candidate)
