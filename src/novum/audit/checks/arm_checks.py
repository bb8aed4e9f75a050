"""Whether confirmations that share an arm are compared with the same runs, on the same seeds, from the first block."""

from __future__ import annotations

from dataclasses import replace

from novum.core.events.verdicts import ConfirmationOpened
from novum.core.model.errors import IntegrityError
from novum.core.model.trial_plan import Plan, Side
from novum.core.state.arm import arm_id
from novum.core.state.campaign_state import CampaignState


def check_joined(event: ConfirmationOpened, state: CampaignState) -> None:
    """Hold the rule of a member to that of the first one. Raises IntegrityError."""
    if not event.arm or event.arm == arm_id(event.hypothesis, event.attempt):
        return
    arm = state.arms.get(event.arm)
    first = next((one.rule for one in state.members(event) if one.rule), None) if arm else None
    if arm is None or first is None or arm.block >= 0:
        raise IntegrityError(f"{event.hypothesis} joins the arm {event.arm}, which is not open to it")
    same = first.key_commitment == event.key_commitment and first.incumbent_setting == event.incumbent_setting
    if not same or first.incumbent.id != event.incumbent.id:
        raise IntegrityError(f"{event.hypothesis} joins the arm {event.arm} with another incumbent or other seeds")


def rule_of_arm(plan: Plan, state: CampaignState) -> ConfirmationOpened | None:
    """The rule of the member whose runs these are; any member's for the incumbent, which the first one runs."""
    arm = state.arms.get(plan.arm)
    rules = [state.hypotheses[name].rule for name in arm.members] if arm else []
    known = [rule for rule in rules if rule and rule.arm == plan.arm]
    if plan.side is Side.CANDIDATE:
        return next((rule for rule in known if rule.hypothesis == plan.subject), None)
    if not known or arm_id(plan.subject, plan.attempt) != plan.arm:
        return None
    return replace(known[0], hypothesis=plan.subject, attempt=plan.attempt)
