"""Follow-ups: what a finding is asked afterwards, one question at a time, by a scheduled share of the trials.

- replicate: does it hold on fresh seeds? One of which less than half is left (the mirrored e-process rejects half of
  the claimed effect) is retracted, with everything that was built on it; the incumbent before it takes its place.
- transfer: does it hold on the tasks and scales that the arena declares?
- ablate: is it better than itself without each of its parts?
- metric: is it better on a further metric, too?

A replication claims nothing new and has a whole stake of its own. All others are claims, each with its own verdict,
seeds and stake from the evidence ledger of the campaign.
"""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.dispatch import committed, dispatch
from novum.core.engine.finding_parts import without
from novum.core.engine.follow_up_questions import promise
from novum.core.engine.follow_up_registration import rule_of
from novum.core.engine.paired_runs import pair_plans
from novum.core.engine.stages.promote import supersede
from novum.core.engine.stages.screen import sweep
from novum.core.events.campaign import IncumbentChanged
from novum.core.events.event import Event
from novum.core.events.verdicts import AblationPlanned, FollowUpClosed
from novum.core.model import seeds
from novum.core.model.trial_plan import Aim, Purpose
from novum.core.model.verdict import Account, Estimate, Judgement, Verdict
from novum.core.state.arm import BLOCK
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import FollowUp, Hypothesis, Phase
from novum.core.state.open_questions import open_questions


def decide(campaign: Campaign) -> list[Event]:
    """The verdict on the open follow-up, once the gate has one."""
    if campaign.state.following is None:
        return []
    hypothesis = campaign.state.following
    now_open = hypothesis.follow_ups[-1]
    discoveries = campaign.state.account.discoveries if now_open.paid else 0
    now = campaign.judge(now_open, now_open.rule, discoveries)
    if now is None:
        return []
    closed = _closed(campaign.state.account, campaign.context, now_open, now)
    if now_open.opened.aim is Aim.REPLICATE and now.verdict is Verdict.REFUTED:
        return [closed, *retract(campaign, hypothesis)]
    return [closed]


def follow_up(campaign: Campaign) -> list[Event]:
    """Pairs for the open follow-up, or the opening of the next one, within the share of the trials."""
    if unpromised := next((one for one in campaign.state.findings if one.promised is None), None):
        return [promise(campaign, unpromised)]  # a version recorded it that promised nothing
    if not has_room(campaign.state, campaign.study.follow_up.share):
        return []
    if campaign.state.following:
        now_open = campaign.state.following.follow_ups[-1]
        done = len(now_open.pairs())
        block = range(done, min(done + BLOCK, now_open.rule.max_pairs))
        options = now_open.opened.options
        plans = list(pair_plans(campaign, now_open.rule, now_open.runs, block, Purpose.FOLLOW_UP, options))
        return dispatch(campaign, plans, committed(campaign))
    question = next(open_questions(campaign.state), None)
    return _ask(campaign, question[0], question[1].aim, question[1].about) if question else []


def has_room(state: CampaignState, share: float) -> bool:
    """Whether a share of the trials pays for another block of pairs."""
    if state.follow_up_trials + 2 * BLOCK > share * state.trials:
        return False
    flying = sum(len(plan.members) for plan in state.in_flight.values() if state.for_follow_up(plan))
    return state.follow_up_trials + flying + 2 * BLOCK <= share * state.trials


def _ask(campaign: Campaign, hypothesis: Hypothesis, aim: Aim, about: str) -> list[Event]:
    """The next event that a question needs: its rival is named and swept, then its rule is registered."""
    if aim is Aim.ABLATE:
        plan = campaign.state.ablations.get((hypothesis.id, about))
        if plan is None:
            rival = without(campaign.context.arena.space, campaign.spec, hypothesis, (about,))
            return [AblationPlanned(hypothesis.id, about, rival)]
        if not campaign.state.swept(plan.rival.id):
            return sweep(campaign, [plan.rival])
    key = campaign.context.follow_up_key(hypothesis.id, len(hypothesis.follow_ups) + 1)
    stake = campaign.context.evidence.open(campaign.state.account)
    if aim is not Aim.REPLICATE and stake.amount <= 0:
        return []
    return [rule_of(campaign.state, hypothesis, aim, about, stake, seeds.commitment(key))]


def measured(event: FollowUpClosed, now: Judgement, size: Estimate) -> bool:
    """Whether the effect of a closed follow-up is what its pairs say; level 0 stands for records without intervals."""
    if event.level == 0.0:
        return event.interval is None and event.effect == now.mean
    return (event.effect, event.interval) == (size.effect, size.interval)


def _closed(account: Account, context: LabContext, one: FollowUp, now: Judgement) -> FollowUpClosed:
    assert now.verdict
    after = account
    if one.paid:
        accepted = now.verdict is Verdict.SUPPORTED
        after = context.evidence.close(account, one.rule.stake, now.e_value, now.threshold, accepted=accepted)
    size = context.gate.size(one.rule, one.pairs(), 0, one.rule.threshold)
    return FollowUpClosed(
        hypothesis=one.rule.hypothesis,
        attempt=one.rule.attempt,
        verdict=now.verdict,
        reason=now.reason,
        pairs=now.pairs,
        e_value=now.e_value,
        threshold=now.threshold,
        against=now.against,
        crashes=now.crashes,
        effect=size.effect,
        interval=size.interval,
        level=size.level,
        refund=after.cash - account.cash,
        cash=after.cash,
        discoveries=after.discoveries,
        key=context.follow_up_key(one.rule.hypothesis, one.rule.attempt).hex(),
    )


def retract(campaign: Campaign, hypothesis: Hypothesis) -> Iterator[Event]:
    """The last incumbent that does not rest on `hypothesis` comes back, if the present one does."""
    lost = {hypothesis.id}
    for other in campaign.state.hypotheses.values():
        if other.ground and other.ground.id in lost:
            lost.add(other.id)
    if campaign.state.incumbent.hypothesis not in lost:
        return
    back = next(one for one in reversed(campaign.state.incumbents) if one.hypothesis not in lost)
    yield IncumbentChanged(back.candidate, back.cost, back.hypothesis)
    yield from supersede(
        campaign, campaign.state.account, campaign.state.open_hypotheses(Phase.CONFIRMING), back.candidate
    )
