"""Groups of paired runs: candidate and incumbent on the same fresh seeds, each missing run once."""

from __future__ import annotations

from collections.abc import Iterator

from novum.core.engine.context import Campaign
from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.candidate import Candidate, Setting
from novum.core.model.trial_plan import Member, Plan, Purpose, Side
from novum.core.state.arm import BLOCK
from novum.core.state.hypothesis import Hypothesis, Phase, Runs


def next_pairs(campaign: Campaign, hypotheses: list[Hypothesis]) -> Iterator[Plan]:
    """Groups for the next block of every hypothesis: verdict pairs while it is confirmed, then those of its size."""
    number = campaign.state.dispatched
    sent: set[str] = set()
    for hypothesis in hypotheses:
        assert hypothesis.rule
        block = _block(campaign, hypothesis)
        purpose = Purpose.CONFIRM if hypothesis.phase is Phase.CONFIRMING else Purpose.ESTIMATE
        for plan in pair_plans(campaign, hypothesis.rule, hypothesis.runs, block, purpose, number=number):
            if plan.side is Side.INCUMBENT and plan.arm in sent:
                continue
            sent.update([plan.arm] if plan.arm and plan.side is Side.INCUMBENT else [])
            number += 1
            yield plan


def pair_plans(
    campaign: Campaign,
    rule: ConfirmationOpened,
    runs: Runs,
    block: range,
    purpose: Purpose,
    options: Setting | None = None,
    number: int | None = None,
) -> Iterator[Plan]:
    """Groups for a block of seeds, one per side, without the runs that are done; none for a side that is in flight."""
    sides: tuple[tuple[Side, Candidate, Setting], ...] = (
        (Side.CANDIDATE, rule.candidate, rule.candidate_setting),
        (Side.INCUMBENT, rule.incumbent, rule.incumbent_setting),
    )
    number = campaign.state.dispatched if number is None else number
    for side, candidate, setting in sides:
        subject, attempt = _payer(rule, side)
        if _is_flying(campaign, rule, side, subject):
            continue
        missing = [index for index in block if index not in runs[side]]
        if not missing:
            continue
        number += 1
        members = tuple(Member(index, setting) for index in missing[: campaign.spec.group_size])
        yield Plan(f"g{number}", purpose, subject, side, candidate, members, 1.0, attempt, options or {}, rule.arm)


def _payer(rule: ConfirmationOpened, side: Side) -> tuple[str, int]:
    """Hypothesis and attempt in whose name a side runs: the incumbent's runs of an arm are the first member's."""
    if rule.arm and side is Side.INCUMBENT:
        leader, attempt = rule.arm.rsplit(":", 1)
        return leader, int(attempt)
    return rule.hypothesis, rule.attempt


def _is_flying(campaign: Campaign, rule: ConfirmationOpened, side: Side, subject: str) -> bool:
    return any(
        plan.subject == subject and plan.side is side and plan.arm == rule.arm
        for plan in campaign.state.in_flight.values()
    )


def _block(campaign: Campaign, hypothesis: Hypothesis) -> range:
    """Indices of the seeds that may be run now: none while other members of the arm have not come as far."""
    assert hypothesis.rule
    rule, done = hypothesis.rule, len(hypothesis.pairs())
    if hypothesis.phase is Phase.ESTIMATING:
        assert hypothesis.verdict
        return range(done, hypothesis.verdict.pairs + campaign.study.gate.estimate_pairs)
    end = min(done - done % BLOCK + BLOCK, rule.max_pairs)
    others = [one for one in campaign.state.members(rule) if one.phase is Phase.CONFIRMING]
    if done % BLOCK == 0 and any(len(one.pairs()) < done for one in others):
        return range(0)
    return range(done, end)
