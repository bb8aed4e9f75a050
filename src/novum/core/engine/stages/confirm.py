"""Confirmation: fresh paired seeds until the gate speaks, then fresh pairs for the size of what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator

from novum.core.engine.context import Campaign, LabContext
from novum.core.engine.dispatch import BLOCK, dispatch, price, refuses_payer
from novum.core.engine.follow_up_questions import promise
from novum.core.engine.preregistration import rule_for
from novum.core.engine.stages.promote import make_incumbent, may_promote
from novum.core.engine.verdict_events import stopped, verdict_of
from novum.core.events.event import Event
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.events.verdicts import ConfirmationOpened, FindingRecorded, ReopeningRequested
from novum.core.model import seeds
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.errors import UserError
from novum.core.model.ports import WorksInBackground
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.model.verdict import Account, Judgement, Verdict
from novum.core.state.approvals import SPEND, Permission, ask_for, spending
from novum.core.state.campaign_state import CampaignState
from novum.core.state.hypothesis import Hypothesis, Phase, Runs

STRIKING = 2.0
"""Standard deviations of an A/A difference: whoever screens so much better does not wait for others."""

UNPAID = "its own budget is spent"
"""How the reason begins of a verdict that was reached early, since a hypothesis or its author has used up its share."""


def decide(campaign: Campaign) -> list[Event]:
    """Verdicts that are due, one hypothesis at a time, and findings whose estimation is complete."""
    for hypothesis in campaign.state.open_hypotheses(Phase.CONFIRMING):
        assert hypothesis.rule
        if judgement := campaign.judge(hypothesis, hypothesis.rule, campaign.state.account.discoveries):
            return _close(campaign, hypothesis, judgement)
        if reason := _unpaid(campaign, hypothesis):
            return [stopped(campaign.state.account, campaign.context, hypothesis, f"{UNPAID}: {reason}")]
    for hypothesis in campaign.state.open_hypotheses(Phase.ESTIMATING):
        if finding := _finding(campaign, hypothesis):
            return [finding, promise(campaign, hypothesis)]
    return []


def confirm(campaign: Campaign) -> list[Event]:
    """Pairs for what is being confirmed or estimated, the scale for what comes next, then a new confirmation."""
    for hypothesis in campaign.state.open_hypotheses(Phase.ESTIMATING, Phase.CONFIRMING):
        if plans := list(_pair_plans(campaign, hypothesis)):
            reserve = 2 * campaign.study.gate.estimate_pairs if hypothesis.phase is Phase.CONFIRMING else 0
            if events := dispatch(campaign, plans, reserve):
                return events
    return calibrate(campaign) or _open(campaign)


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


def _close(campaign: Campaign, hypothesis: Hypothesis, judgement: Judgement) -> list[Event]:
    """The verdict, and what follows when it makes a new incumbent."""
    verdict = verdict_of(campaign.state.account, campaign.context, hypothesis, judgement)
    if (
        verdict.verdict is not Verdict.SUPPORTED
        or hypothesis.registered.incumbent != campaign.state.incumbent.candidate.id
    ):
        return [verdict]
    if may_promote(campaign.state, hypothesis) is not Permission.GRANTED:
        return [verdict]
    account = Account(verdict.cash, verdict.discoveries, campaign.state.account.opened)
    return [verdict, *make_incumbent(campaign, account, hypothesis)]


def _finding(campaign: Campaign, hypothesis: Hypothesis) -> FindingRecorded | None:
    assert hypothesis.rule and hypothesis.verdict
    fresh = hypothesis.pairs()[hypothesis.verdict.pairs :]
    flying = any(plan.subject == hypothesis.id for plan in campaign.state.in_flight.values())
    if len(fresh) < campaign.study.gate.estimate_pairs and (flying or not _unaffordable(campaign, hypothesis)):
        return None
    estimate = campaign.context.gate.estimate(hypothesis.rule, fresh)
    key = campaign.context.confirmation_key(hypothesis.id, hypothesis.attempt).hex()
    return FindingRecorded(
        hypothesis.id, hypothesis.attempt, estimate.effect, estimate.interval, estimate.level, estimate.pairs, key
    )


def _unaffordable(campaign: Campaign, hypothesis: Hypothesis) -> bool:
    missing = sum(len(plan.members) for plan in _pair_plans(campaign, hypothesis))
    return (
        campaign.context.governor.refuses(
            campaign.state.spent, price(campaign.state, max(1, missing), campaign.context.slots)
        )
        is not None
    )


def _pair_plans(campaign: Campaign, hypothesis: Hypothesis) -> Iterator[Plan]:
    """Groups for the next block of pairs of a hypothesis."""
    assert hypothesis.rule
    start, stop, purpose = _block(campaign.context, hypothesis)
    yield from pair_plans(campaign, hypothesis.rule, hypothesis.runs, range(start, stop), purpose)


def pair_plans(
    campaign: Campaign,
    rule: ConfirmationOpened,
    runs: Runs,
    block: range,
    purpose: Purpose,
    options: Setting | None = None,
) -> Iterator[Plan]:
    """Groups for a block of seeds, one per side, without the runs that are done; none for a side that is in flight."""
    sides: tuple[tuple[Side, Candidate, Setting], ...] = (
        (Side.CANDIDATE, rule.candidate, rule.candidate_setting),
        (Side.INCUMBENT, rule.incumbent, rule.incumbent_setting),
    )
    number = campaign.state.dispatched
    for side, candidate, setting in sides:
        if any(plan.subject == rule.hypothesis and plan.side is side for plan in campaign.state.in_flight.values()):
            continue
        missing = [index for index in block if index not in runs[side]]
        if not missing:
            continue
        number += 1
        members = tuple(Member(index, setting) for index in missing[: campaign.spec.group_size])
        yield Plan(f"g{number}", purpose, rule.hypothesis, side, candidate, members, 1.0, rule.attempt, options or {})


def _block(context: LabContext, hypothesis: Hypothesis) -> tuple[int, int, Purpose]:
    """First and last (exclusive) seed index that may be run now, and what for."""
    assert hypothesis.rule
    done = len(hypothesis.pairs())
    if hypothesis.verdict and hypothesis.verdict.attempt == hypothesis.attempt:
        return done, hypothesis.verdict.pairs + context.study.gate.estimate_pairs, Purpose.ESTIMATE
    return done, min(done + BLOCK, hypothesis.rule.max_pairs), Purpose.CONFIRM


def _calibration_plans(campaign: Campaign) -> Iterator[Plan]:
    incumbent = campaign.state.incumbent.candidate
    tuned = campaign.state.tuned.get(incumbent.id)
    if tuned is None or incumbent.id in campaign.state.scales:
        return
    flying = {
        member.index
        for plan in campaign.state.in_flight.values()
        if plan.purpose is Purpose.CALIBRATE and plan.subject == incumbent.id
        for member in plan.members
    }
    done = campaign.state.calibration.get(incumbent.id, {})
    wanted = 2 * campaign.study.gate.calibration_pairs
    missing = [index for index in range(wanted) if index not in done and index not in flying]
    size = campaign.spec.group_size
    for number, first in enumerate(range(0, len(missing), size)):
        members = tuple(Member(index, tuned.setting) for index in missing[first : first + size])
        name = f"g{campaign.state.dispatched + number + 1}"
        yield Plan(name, Purpose.CALIBRATE, incumbent.id, Side.INCUMBENT, incumbent, members)


def confirm_idle(campaign: Campaign) -> list[Event]:
    """Open a confirmation for the best waiting candidate though none is due: no worker has anything else to do.

    It must have screened better than the incumbent; while an answer is awaited, by more than a standard error.
    """
    state, best, researcher = campaign.state, campaign.state.confirmation_queue.best, campaign.context.researcher
    if best is None or state.in_flight or not _may_open(campaign):
        return []
    awaited = isinstance(researcher, WorksInBackground) and researcher.pending
    least = state.doubt(best) if awaited else 0.0
    return _opened(campaign, best) if (state.advantage(best) or 0.0) > least else []


def _open(campaign: Campaign) -> list[Event]:
    """Open a confirmation for the best waiting candidate, if one is due, or reopen one; if affordable.

    Whoever asks for a reopening comes first; otherwise only claims that stopped short of the threshold are reopened,
    when nothing else waits.
    """
    if not _may_open(campaign):
        return []
    best = campaign.state.confirmation_queue.best
    due = best if best and _is_due(campaign, best) else None
    chosen = next(iter(campaign.state.requested.values()), None) or due or _reopenable(campaign)
    return _opened(campaign, chosen) if chosen else []


def _may_open(campaign: Campaign) -> bool:
    """Whether the noise is known, and half of the workers at most are bound by confirmations already."""
    state, most = campaign.state, max(1, campaign.context.slots // 2)
    return state.incumbent.candidate.id in state.scales and state.count(Phase.CONFIRMING) < most


def _is_due(campaign: Campaign, best: Hypothesis) -> bool:
    """Whether the best waiting candidate is to be confirmed now.

    Its gain is beyond doubt the best of any few candidates, enough were screened since the last promotion, or the
    budget pays for no further round of screening beside a whole confirmation.
    """
    state, screening = campaign.state, campaign.study.screening
    incumbent = state.incumbent.candidate.id
    if (state.advantage(best) or 0.0) >= STRIKING * max(state.scales[incumbent].sigma, campaign.spec.resolution):
        return True
    if state.promoted_against[incumbent] < state.screened_against[incumbent] // screening.keep_one_in:
        return True
    if (state.advantage(best) or 0.0) <= 0:
        return False
    gate, sweep = campaign.study.gate, len(campaign.spec.tuning) * screening.seeds
    round_and_confirmation = screening.keep_one_in * sweep + 2 * (gate.max_pairs + gate.estimate_pairs)
    needed = price(state, round_and_confirmation, campaign.context.slots)
    return campaign.context.governor.refuses(state.spent, needed) is not None


def _opened(campaign: Campaign, chosen: Hypothesis) -> list[Event]:
    """The opening of a confirmation, if evidence and budget pay for it."""
    stake = campaign.context.evidence.open(campaign.state.account)
    if stake.amount <= 0:
        return []
    rule = rule_for(
        campaign.state,
        chosen,
        stake,
        seeds.commitment(campaign.context.confirmation_key(chosen.id, chosen.attempt + 1)),
    )
    gate = campaign.study.gate
    trials = 2 * (_fewest_pairs(rule) + gate.estimate_pairs)
    if campaign.context.governor.refuses(campaign.state.spent, price(campaign.state, trials, campaign.context.slots)):
        return []
    return _allowed(campaign, chosen, rule)


def _allowed(campaign: Campaign, chosen: Hypothesis, rule: ConfirmationOpened) -> list[Event]:
    """The opening, or what comes in its place: its own budgets do not reach to its end, or people have to agree."""
    most = price(campaign.state, 2 * (rule.max_pairs + campaign.study.gate.estimate_pairs), campaign.context.slots)
    if reason := refuses_payer(campaign, most, campaign.state.spending.of(chosen.id)):
        return [HypothesisWithdrawn(chosen.id, f"its confirmation may take {most.trials} trials: {reason}")]
    policy, author, content = campaign.study.policy, chosen.registered.author, chosen.candidate.digest
    match spending(policy, campaign.state.request_log.approvals, author, content, most):
        case Permission.NEEDED:
            words = f"confirm {chosen.id}: at most {most.trials} trials and about {most.cpu_seconds:.0f} CPU seconds"
            return [ask_for(SPEND, author, content, words, campaign.state.wall_seconds, policy)]
        case Permission.REFUSED:
            return [HypothesisWithdrawn(chosen.id, "nobody allowed what its confirmation would cost")]
        case Permission.WAITING:
            return []
    return [rule]


def _reopenable(campaign: Campaign) -> Hypothesis | None:
    """The claim against the present incumbent that stopped closest to its threshold, if it may be opened again."""
    open_again = [
        one
        for one in campaign.state.exploratory.values()
        if one.attempt <= campaign.study.gate.reopenings
        and one.registered.incumbent == campaign.state.incumbent.candidate.id
    ]
    return max(open_again, key=lambda h: h.verdict.e_value / h.verdict.threshold if h.verdict else 0.0, default=None)


def _fewest_pairs(rule: ConfirmationOpened) -> int:
    """Pairs before which no e-process can reach the threshold: at most doubling per pair."""
    return min(rule.max_pairs, max(1, math.ceil(math.log2(max(2.0, rule.threshold)))))
