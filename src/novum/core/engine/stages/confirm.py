"""Confirmation: fresh paired seeds until the gate speaks, then fresh pairs for the size of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import dispatch, price, refuses_payer
from novum.core.engine.follow_up_questions import promise
from novum.core.engine.paired_runs import next_pairs
from novum.core.engine.stages.opening import open_confirmation
from novum.core.engine.stages.promote import crown, may_promote, supersede
from novum.core.engine.verdict_events import stopped, verdict_of
from novum.core.events.event import Event
from novum.core.events.verdicts import FindingRecorded, ReopeningRequested
from novum.core.model.errors import UserError
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.model.verdict import Judgement, Verdict
from novum.core.state.approvals import Permission
from novum.core.state.arm import BLOCK, arm_of
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase

UNPAID = "its own budget is spent"
"""How the reason begins of a verdict that was reached early, since a hypothesis or its author has used up its share."""


def decide(campaign: Campaign) -> list[Event]:
    """Verdicts that are due, one arm at a time, and findings whose estimation is complete."""
    for members in open_arms(campaign.state):
        if judged := _judged(campaign, members):
            return list(_close(campaign, judged))
        for hypothesis in members:
            if reason := _unpaid(campaign, hypothesis):
                return [
                    stopped(campaign.state, campaign.state.account, campaign.context, hypothesis, f"{UNPAID}: {reason}")
                ]
    for hypothesis in campaign.state.open_hypotheses(Phase.ESTIMATING):
        if finding := _finding(campaign, hypothesis):
            return [finding, promise(campaign, hypothesis)]
    return []


def open_arms(state: CampaignState) -> list[list[Hypothesis]]:
    """Hypotheses that are being confirmed, those together that share an arm."""
    found: dict[str, list[Hypothesis]] = {}
    for hypothesis in state.open_hypotheses(Phase.CONFIRMING):
        assert hypothesis.rule
        found.setdefault(hypothesis.rule.arm or hypothesis.id, []).append(hypothesis)
    return list(found.values())


def confirm(campaign: Campaign) -> list[Event]:
    """Pairs for what is being confirmed or estimated, the scale for what comes next, then a new confirmation."""
    groups = [[one] for one in campaign.state.open_hypotheses(Phase.ESTIMATING)] + open_arms(campaign.state)
    for members in groups:
        if plans := list(next_pairs(campaign, members)):
            confirming = sum(one.phase is Phase.CONFIRMING for one in members)
            if events := dispatch(campaign, plans, 2 * campaign.study.gate.estimate_pairs * confirming):
                return events
    return calibrate(campaign) or open_confirmation(campaign)


def calibrate(campaign: Campaign) -> list[Event]:
    """A/A runs of the incumbent, as far as they are missing."""
    return dispatch(campaign, list(_calibration_plans(campaign)))


def _unpaid(campaign: Campaign, hypothesis: Hypothesis) -> str | None:
    """Why its own budgets pay no further pair, once nothing of it is in flight any more."""
    payer = campaign.state.spending.of(hypothesis.id)
    if not campaign.study.budgets.given or any(
        plan.subject == hypothesis.id for plan in campaign.state.in_flight.values()
    ):
        return None
    return refuses_payer(campaign, price(campaign.state, 2, campaign.context.slots), payer)


def request(state: CampaignState, name: str) -> ReopeningRequested:
    """Ask for another confirmation of a hypothesis. Raises UserError when it cannot be confirmed again."""
    hypothesis = state.hypotheses.get(name)
    verdict = hypothesis.verdict if hypothesis else None
    if hypothesis is None:
        raise UserError(f"there is no hypothesis {name!r} in this lab: see the report, or `novum findings`")
    if verdict is None or verdict.verdict is not Verdict.INCONCLUSIVE or hypothesis.phase is not Phase.CLOSED:
        said = verdict.verdict if verdict else "not confirmed yet"
        raise UserError(f"{name} cannot be reopened: it is {said}, and only what was inconclusive can be")
    if hypothesis.registered.incumbent != state.incumbent.candidate.id:
        raise UserError(f"{name} cannot be reopened: its incumbent has been replaced since")
    return ReopeningRequested(name)


def _judged(campaign: Campaign, members: Sequence[Hypothesis]) -> list[tuple[Hypothesis, Judgement]]:
    """Verdicts on the members of an arm: on all of a block at once, when every member has come to its end."""
    reached = {len(one.pairs()) for one in members}
    if len(members) > 1 and (len(reached) > 1 or any(_is_within_block(one) for one in members)):
        return []
    found = []
    for one in members:
        assert one.rule
        if judgement := campaign.judge(one, one.rule, campaign.state.discoveries_for(one.rule)):
            found.append((one, judgement))
    return found


def _is_within_block(hypothesis: Hypothesis) -> bool:
    done = len(hypothesis.pairs())
    assert hypothesis.rule
    return done % BLOCK > 0 and done < hypothesis.rule.max_pairs


def _close(campaign: Campaign, judged: Sequence[tuple[Hypothesis, Judgement]]) -> Iterator[Event]:
    """The verdicts of a block, the best one accepted first to become the incumbent, and what follows from that."""
    order = sorted(judged, key=lambda one: (_accepted(one[1]), -(one[1].mean or 0.0)))
    first = next((one for one, judgement in order if _accepted(judgement)), None)
    account, state = campaign.state.account, campaign.state
    for hypothesis, judgement in order:
        verdict = verdict_of(account, campaign.context, hypothesis, judgement)
        account = replace(account, cash=verdict.cash, discoveries=verdict.discoveries)
        yield verdict
        against_present = hypothesis.registered.incumbent == state.incumbent.candidate.id
        if hypothesis is first and against_present and may_promote(state, hypothesis) is Permission.GRANTED:
            yield from crown(campaign, hypothesis)
        else:
            first = None if hypothesis is first else first
    if first:
        done = {one.id for one, _ in judged}
        others = [one for one in state.open_hypotheses(Phase.CONFIRMING) if one.id not in done]
        yield from supersede(campaign, account, others, first.candidate)


def _accepted(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.SUPPORTED


def _finding(campaign: Campaign, hypothesis: Hypothesis) -> FindingRecorded | None:
    assert hypothesis.rule and hypothesis.verdict
    pairs, verdict = hypothesis.pairs(), hypothesis.verdict
    flying = any(
        plan.subject == hypothesis.id or (plan.arm and plan.arm == hypothesis.rule.arm)
        for plan in campaign.state.in_flight.values()
    )
    fresh = len(pairs) - verdict.pairs
    if fresh < campaign.study.gate.estimate_pairs and (flying or not _unaffordable(campaign, hypothesis)):
        return None
    pairs = pairs[: verdict.pairs + campaign.study.gate.estimate_pairs]
    size = campaign.context.gate.size(hypothesis.rule, pairs, verdict.pairs, verdict.threshold)
    key = campaign.context.confirmation_key(arm_of(hypothesis.rule)).hex()
    return FindingRecorded(hypothesis.id, hypothesis.attempt, size.effect, size.interval, size.level, size.pairs, key)


def _unaffordable(campaign: Campaign, hypothesis: Hypothesis) -> bool:
    missing = sum(len(plan.members) for plan in next_pairs(campaign, [hypothesis]))
    return (
        campaign.context.governor.refuses(
            campaign.state.spent, price(campaign.state, max(1, missing), campaign.context.slots)
        )
        is not None
    )


def _calibration_plans(campaign: Campaign) -> Iterator[Plan]:
    incumbent = campaign.state.incumbent.candidate
    tuned = campaign.state.tuned.get(incumbent.id)
    if tuned is None or incumbent.id in campaign.state.scales:
        return
    flying = {
        member.index
        for plan in campaign.state.sent_for(incumbent.id)
        if plan.purpose is Purpose.CALIBRATE
        for member in plan.members
    }
    done = campaign.state.calibration.get(incumbent.id, {})
    wanted = campaign.state.calibration_runs
    missing = [index for index in range(wanted) if index not in done and index not in flying]
    size = campaign.spec.group_size
    for number, first in enumerate(range(0, len(missing), size)):
        members = tuple(Member(index, tuned.setting) for index in missing[first : first + size])
        name = f"g{campaign.state.dispatched + number + 1}"
        yield Plan(name, Purpose.CALIBRATE, incumbent.id, Side.INCUMBENT, incumbent, members)
