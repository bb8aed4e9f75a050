"""What is confirmed next: the best waiting candidate when one is due, others beside it, or a claim once more."""

from __future__ import annotations

import math
from dataclasses import replace

from novum.core.engine import evidence_plan
from novum.core.engine.context import Campaign
from novum.core.engine.dispatch import price, refuses_payer
from novum.core.engine.preregistration import rule_for
from novum.core.events.event import Event
from novum.core.events.proposals import HypothesisWithdrawn
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model import seeds
from novum.core.model.budget import Spent
from novum.core.model.ports import WorksInBackground
from novum.core.state.approvals import SPEND, Permission, ask_for, spending
from novum.core.state.arm import arm_id
from novum.core.state.hypothesis import Hypothesis, Phase

STRIKING = 2.0
"""Standard deviations of an A/A difference: whoever screens so much better does not wait for others."""

CLEAR_PAIRS = 6
"""Pairs that a confirmation of such a candidate takes, as a rule."""


def open_confirmation(campaign: Campaign) -> list[Event]:
    """Open a confirmation for the best waiting candidate, if one is due, or reopen one; if affordable.

    Whoever asks for a reopening comes first; otherwise only claims that stopped short of the threshold are reopened,
    when nothing else waits.
    """
    if not _may_open(campaign):
        return []
    best = campaign.state.confirmation_queue.best
    due = best if best and _is_due(campaign, best) else None
    searching = best is not None and campaign.study.screening.patience > 0
    chosen = (
        next(iter(campaign.state.requested.values()), None) or due or (None if searching else _reopenable(campaign))
    )
    return _opened(campaign, chosen) if chosen else []


def open_when_idle(campaign: Campaign) -> list[Event]:
    """Open a confirmation for the best waiting candidate though none is due: no worker has anything else to do.

    It must have screened better than the incumbent; while an answer is awaited, by more than a standard error.
    """
    state, best, researcher = campaign.state, campaign.state.confirmation_queue.best, campaign.context.researcher
    if best is None or state.in_flight or not _may_open(campaign):
        return []
    awaited = isinstance(researcher, WorksInBackground) and researcher.pending
    least = state.doubt(best) if awaited else 0.0
    return _opened(campaign, best) if (state.advantage(best) or 0.0) > least else []


def _may_open(campaign: Campaign) -> bool:
    """Whether the noise is known, and half of the workers at most are bound by confirmations already."""
    state, most = campaign.state, max(1, campaign.context.slots // 2)
    arms = {one.rule.arm for one in state.open_hypotheses(Phase.CONFIRMING) if one.rule}
    return state.incumbent.candidate.id in state.scales and len(arms) < most


def _is_due(campaign: Campaign, best: Hypothesis) -> bool:
    """Whether the best waiting candidate is to be confirmed now.

    Its gain is beyond doubt the best of any few candidates, enough were screened since the last promotion, or the
    budget pays for no further round of screening beside a whole confirmation.
    """
    state, screening = campaign.state, campaign.study.screening
    incumbent = state.incumbent.candidate.id
    if screening.patience:
        unbeaten = state.screened_since(best, screening.patience) >= screening.patience
        return (state.advantage(best) or 0.0) > 0 and (unbeaten or _is_last_chance(campaign, best))
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


def _is_last_chance(campaign: Campaign, best: Hypothesis) -> bool:
    """Whether the budget pays for no further candidates beside the confirmation that the best one may take.

    It is likely to cost what trials cost on average, and must be payable, like any other, if they cost the most.
    """
    state, gate, slots = campaign.state, campaign.study.gate, campaign.context.slots
    sigma = max(state.scales[state.incumbent.candidate.id].sigma, campaign.spec.resolution)
    clear = (state.advantage(best) or 0.0) >= STRIKING * sigma
    rule = None if evidence_plan.due(state) else _rule(campaign, best, arm_id(best.id, best.attempt + 1), [])
    few = min(gate.max_pairs, max(CLEAR_PAIRS, _fewest_pairs(rule) + 1 if rule else 0))
    likely = min(gate.max_pairs, max(few, evidence_plan.USUAL_PAIRS))
    further = slots * len(campaign.spec.tuning) * campaign.study.screening.seeds
    least = further + 2 * (few + gate.estimate_pairs)
    usual = further + 2 * ((few if clear else likely) + gate.estimate_pairs)
    needed = (price(state, least, slots), price(state, usual, slots, state.prices.usual))
    return any(campaign.context.governor.refuses(state.spent, one) is not None for one in needed)


def _opened(campaign: Campaign, chosen: Hypothesis) -> list[Event]:
    """The opening of a confirmation, if evidence and budget pay for it, with what shares the incumbent's runs."""
    if planned := evidence_plan.due(campaign.state):
        return [planned]
    arm = arm_id(chosen.id, chosen.attempt + 1)
    first = _rule(campaign, chosen, arm, [])
    if first is None:
        return []
    trials = 2 * (_fewest_pairs(first) + campaign.study.gate.estimate_pairs)
    if _refuses(campaign, trials):
        return []
    if instead := _not_allowed(campaign, chosen, first):
        return instead[0]
    rules = [first]
    for other in _companions(campaign, chosen):
        trials += _fewest_pairs(first) + campaign.study.gate.estimate_pairs
        rule = _rule(campaign, other, arm, rules)
        if rule is None or _refuses(campaign, trials) or _not_allowed(campaign, other, rule):
            break
        rules.append(rule)
    return list(rules)


def _companions(campaign: Campaign, chosen: Hypothesis) -> list[Hypothesis]:
    """Waiting candidates that are worth a confirmation at half the price: a standard error better than the incumbent.

    Beside the best one they cost their own runs only, since the incumbent's are shared.
    """
    state, room = campaign.state, campaign.study.gate.arms - 1
    if chosen.attempt or room < 1:
        return []
    return [
        one
        for one in state.confirmation_queue.best_of(room + 1)
        if one is not chosen and (state.advantage(one) or 0.0) > state.doubt(one)
    ][:room]


def _rule(
    campaign: Campaign, hypothesis: Hypothesis, arm: str, before: list[ConfirmationOpened]
) -> ConfirmationOpened | None:
    """The rule of a confirmation after those `before` it in the same decision; None when no evidence is left."""
    account = campaign.state.account
    if before:
        account = replace(account, cash=before[-1].cash, opened=before[-1].position)
    stake = campaign.context.evidence.open(account)
    if stake.amount <= 0:
        return None
    commitment = seeds.commitment(campaign.context.confirmation_key(arm))
    return rule_for(campaign.state, hypothesis, stake, commitment, arm)


def _refuses(campaign: Campaign, trials: int) -> bool:
    needed = price(campaign.state, trials, campaign.context.slots)
    return campaign.context.governor.refuses(campaign.state.spent, needed) is not None


def _not_allowed(campaign: Campaign, chosen: Hypothesis, rule: ConfirmationOpened) -> list[list[Event]]:
    """What comes in the place of an opening: its own budgets do not reach to its end, or people have to agree.

    Empty when it may open; else one decision, which may be to wait.
    """
    most = price(campaign.state, 2 * (rule.max_pairs + campaign.study.gate.estimate_pairs), campaign.context.slots)
    if reason := refuses_payer(campaign, most, campaign.state.spending.of(chosen.id)):
        return [[HypothesisWithdrawn(chosen.id, f"its confirmation may take {most.trials} trials: {reason}")]]
    return _asked(campaign, chosen, most)


def _asked(campaign: Campaign, chosen: Hypothesis, most: Spent) -> list[list[Event]]:
    policy, author, content = campaign.study.policy, chosen.registered.author, chosen.candidate.digest
    match spending(policy, campaign.state.request_log.approvals, author, content, most):
        case Permission.NEEDED:
            words = f"confirm {chosen.id}: at most {most.trials} trials and about {most.cpu_seconds:.0f} CPU seconds"
            return [[ask_for(SPEND, author, content, words, campaign.state.wall_seconds, policy)]]
        case Permission.REFUSED:
            return [[HypothesisWithdrawn(chosen.id, "nobody allowed what its confirmation would cost")]]
        case Permission.WAITING:
            return [[]]
    return []


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
